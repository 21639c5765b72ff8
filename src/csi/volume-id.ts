const MAX_HANDLE = 128;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What stands between a directory and a suffix: no path has an empty component. */
const SUFFIX_MARK = '//';
/** As narrow as names of namespaces and PersistentVolumes allow. */
const SUFFIX = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** What a volume handle names: a directory of a pool. */
export interface VolumeId {
  /** UUID of the famfs file system. */
  readonly pool: string;
  /** Path from the pool's root, without a leading slash. */
  readonly directory: string;
  /** Tells handles of one directory apart, and means nothing else. */
  readonly suffix?: string;
}

/** The handle: `<file system uuid>/<directory path>`, and `//<suffix>` behind it where there is one. */
export function formatVolumeId({ pool, directory, suffix }: VolumeId): string {
  return `${pool}/${directory}${suffix === undefined ? '' : `${SUFFIX_MARK}${suffix}`}`;
}

/**
 * The handle of the directory that a handle names, by which two handles of one directory are one; undefined for whatever
 * no volume of ours can be called.
 */
export function directoryOfHandle(handle: string): string | undefined {
  const id = parseVolumeId(handle);
  return id && formatVolumeId(id);
}

/**
 * Reads a handle, or answers undefined for whatever no volume of ours can be called. Everything
 * that could leave the pool's tree is of that kind: `..`, empty and absolute components.
 */
export function parseVolumeId(handle: string): VolumeId | undefined {
  if (Buffer.byteLength(handle) > MAX_HANDLE) return undefined;
  const slash = handle.indexOf('/');
  if (slash < 0) return undefined;
  const pool = handle.slice(0, slash);
  const [directory, suffix, ...more] = handle.slice(slash + 1).split(SUFFIX_MARK) as [string, ...string[]];
  if (!UUID.test(pool) || !isSafePath(directory) || more.length > 0) return undefined;
  if (suffix === undefined) return { pool, directory };
  return SUFFIX.test(suffix) ? { pool, directory, suffix } : undefined;
}

/** The handle of a handle's directory: without its suffix. What is no handle of ours stays as it is. */
export function directoryHandle(handle: string): string {
  const id = parseVolumeId(handle);
  return id === undefined ? handle : formatVolumeId({ pool: id.pool, directory: id.directory });
}

function isSafePath(directory: string): boolean {
  if (/[\u0000-\u001f\u007f]/.test(directory) || !directory.isWellFormed()) return false;
  return directory.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

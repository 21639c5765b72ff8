const MAX_HANDLE = 128;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a volume handle names: a directory of a pool. */
export interface VolumeId {
  /** UUID of the famfs file system. */
  readonly pool: string;
  /** Path from the pool's root, without a leading slash. */
  readonly directory: string;
}

/** The handle of a directory: `<file system uuid>/<directory path>`. */
export function formatVolumeId({ pool, directory }: VolumeId): string {
  return `${pool}/${directory}`;
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
  const directory = handle.slice(slash + 1);
  if (!UUID.test(pool) || !isSafePath(directory)) return undefined;
  return { pool, directory };
}

function isSafePath(directory: string): boolean {
  if (/[\u0000-\u001f\u007f]/.test(directory) || !directory.isWellFormed()) return false;
  return directory.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

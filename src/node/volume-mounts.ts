import fs from 'node:fs/promises';
import path from 'node:path';
import { refuse } from '../csi/errors.ts';
import { formatVolumeId, type VolumeId } from '../csi/volume-id.ts';
import { poolOf } from '../famfs/fuse/mount/mount.ts';
import type { MountPoint } from '../famfs/fuse/mount/mountinfo.ts';
import type { TouchingPrograms } from '../famfs/fuse/mount/programs.ts';
import { moduleFile } from '../famfs/module-file.ts';
import { bindMountOptions, type BindMountSpec, matchesSpec } from './bind-mount-options.ts';
import type { DataPlane } from './data-plane.ts';
import { detachVolume, inodeAt, mountAt, showsVolume } from './mounts.ts';

/** Where a volume's directory is on this host. */
export interface VolumeLocation extends Pick<MountPoint, 'deviceNumber' | 'root'> {
  readonly id: VolumeId;
  readonly path: string;
  /** Its node id, which is its inode number; undefined where the data plane does not tell: one of an older version. */
  readonly node: string | undefined;
}

/**
 * Finds a volume's directory, mounting its pool if needed. Throws NOT_FOUND where the pool has no such directory,
 * UNAVAILABLE while its session does not answer.
 */
export async function locateVolume(plane: DataPlane, id: VolumeId): Promise<VolumeLocation> {
  const { path: session, node } = await plane.ensureSession(id);
  const mount = await mountAt(session);
  if (mount === undefined || poolOf(mount) !== id.pool) {
    throw refuse.unavailable(`the session of pool ${id.pool} is not mounted at ${session}: see the data plane's log`);
  }
  return { id, path: path.join(session, id.directory), deviceNumber: mount.deviceNumber, root: path.join(mount.root, id.directory), node };
}

/**
 * Makes `target` a mount of the volume, unless it is one. Replaced are a mount of an earlier session of the pool,
 * which is dead or serves only those who have its files open, and one of an earlier directory of this name. Throws
 * ALREADY_EXISTS for another mount, NOT_FOUND and UNAVAILABLE.
 */
export async function ensureVolumeMount(programs: TouchingPrograms, volume: VolumeLocation, target: string, spec: BindMountSpec): Promise<void> {
  const there = await mountAt(target);
  if (there !== undefined) {
    if (!showsVolume(there, volume.id)) throw refuse.exists(`${target} is a mount of something else (${there.root} of ${there.source}): unmount it first`);
    if (await isCurrent(volume, target, there)) return requireOptions(target, there, spec);
    await detachVolume(target, formatVolumeId(volume.id), { endsSession: false });
  }
  await ensureDirectory(target);
  await bind(programs, volume, target, spec);
}

/** Touches the volume's session, which may hang: so a process of its own does it. */
async function bind(programs: TouchingPrograms, volume: VolumeLocation, target: string, spec: BindMountSpec): Promise<void> {
  const args = [moduleFile(import.meta.url, 'bind-mount-process'), volume.path, target, ...bindMountOptions(spec)];
  const { code, output } = await programs.run(volume.id.pool, process.execPath, args);
  if (code === 0) return;
  if (/: (ENOENT|ENOTDIR|ESTALE)$/.test(output)) throw refuse.notFound(`pool ${volume.id.pool} has no directory ${JSON.stringify(volume.id.directory)}`);
  if (/: (ENOTCONN|ECONNABORTED)$/.test(output)) throw refuse.unavailable(`${output}: its session has just ended, repeat the call`);
  throw new Error(output || `mounting ${volume.path} at ${target} ended with ${code}`);
}

/** Takes a volume off a path and removes the directory there, which must be empty then. Nothing there is success. */
export async function unmountAndRemove(target: string, volumeId: string): Promise<void> {
  await detachVolume(target, volumeId, { endsSession: true });
  try {
    await fs.rmdir(target);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return;
    if (code === 'ENOTEMPTY' || code === 'ENOTDIR') {
      throw refuse.precondition(`${target} is no mount and holds something else: nothing was deleted, remove it yourself`);
    }
    throw error;
  }
}

/** Whether a mount shows what the volume is now. Its session answers, as the data plane says, and is not asked. */
async function isCurrent(volume: VolumeLocation, target: string, there: MountPoint): Promise<boolean> {
  if (there.deviceNumber !== volume.deviceNumber || there.root !== volume.root) return false;
  const inode = await inodeAt(target);
  return inode === undefined || volume.node === undefined || inode === volume.node;
}

/** Throws ALREADY_EXISTS unless a mount has the options that `ensureVolumeMount` would give it. */
function requireOptions(target: string, there: MountPoint, spec: BindMountSpec): void {
  if (matchesSpec(there.options, spec)) return;
  throw refuse.exists(`${target} is mounted with ${[...there.options].join(',')}: unpublish it before asking for ${bindMountOptions(spec).join(',')}`);
}

/** Makes a directory, unless there is one. Throws FAILED_PRECONDITION for anything else. */
export async function ensureDirectory(target: string): Promise<void> {
  await fs.mkdir(target, { recursive: true, mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  // A link would lead the mount to a place that nobody asked for.
  if (!(await fs.lstat(target)).isDirectory()) throw refuse.precondition(`${target} exists and is no directory`);
}

import fs from 'node:fs/promises';
import path from 'node:path';
import { refuse } from '../csi/errors.ts';
import { formatVolumeId, type VolumeId } from '../csi/volume-id.ts';
import type { MountPoint } from '../famfs/fuse/mount/mountinfo.ts';
import { isStale } from '../famfs/fuse/protocol/errno.ts';
import { bindMountOptions, type BindMountSpec, matchesSpec } from './bind-mount-options.ts';
import { bindMount } from './bind-mount.ts';
import type { DataPlane } from './data-plane.ts';
import { detachVolume, healthOf, mountAt, showsVolume } from './mounts.ts';

/** Where a volume's directory is on this host. */
export interface VolumeLocation extends Pick<MountPoint, 'deviceNumber' | 'root'> {
  readonly id: VolumeId;
  readonly path: string;
}

/** Finds a volume's directory, mounting its pool if needed. Throws NOT_FOUND where the pool has no such directory. */
export async function locateVolume(plane: DataPlane, id: VolumeId): Promise<VolumeLocation> {
  const session = await plane.ensureSession(id.pool);
  const place = path.join(session, id.directory);
  await requireDirectory(place, id);
  const mount = await mountAt(session);
  if (mount === undefined) throw refuse.unavailable(`the session of pool ${id.pool} is not mounted at ${session}: see the data plane's log`);
  return { id, path: place, deviceNumber: mount.deviceNumber, root: path.join(mount.root, id.directory) };
}

/**
 * Makes `target` a bind mount of the volume unless it is one. One that is dead is replaced, and one of an
 * earlier session of the pool, which may still serve those who have its files open. Throws ALREADY_EXISTS for
 * another mount.
 */
export async function ensureBindMount(volume: VolumeLocation, target: string, spec: BindMountSpec): Promise<void> {
  const there = await mountAt(target);
  if (there !== undefined) {
    if (!showsVolume(there, volume.id)) throw refuse.exists(`${target} is a mount of something else (${there.root} of ${there.source}): unmount it first`);
    const isOfSession = there.deviceNumber === volume.deviceNumber && there.root === volume.root;
    if (isOfSession && await healthOf(target) === 'alive') return requireOptions(target, there, spec);
    await detachVolume(target, formatVolumeId(volume.id), { endsSession: false });
  }
  await makeDirectory(target);
  await bindMount(volume.path, target, bindMountOptions(spec));
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

/** Throws ALREADY_EXISTS unless a mount has the options that `ensureBindMount` would give it. */
function requireOptions(target: string, there: MountPoint, spec: BindMountSpec): void {
  if (matchesSpec(there.options, spec)) return;
  throw refuse.exists(`${target} is mounted with ${[...there.options].join(',')}: unpublish it before asking for ${bindMountOptions(spec).join(',')}`);
}

async function makeDirectory(target: string): Promise<void> {
  await fs.mkdir(target, { recursive: true, mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  // A link would lead the mount to a place that nobody asked for.
  if (!(await fs.lstat(target)).isDirectory()) throw refuse.precondition(`${target} exists and is no directory`);
}

async function requireDirectory(source: string, { pool, directory }: VolumeId): Promise<void> {
  const found = await fs.lstat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || isStale(error)) return undefined;
    throw error;
  });
  if (!found?.isDirectory()) throw refuse.notFound(`pool ${pool} has no directory ${JSON.stringify(directory)}`);
}

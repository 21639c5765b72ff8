import fs from 'node:fs/promises';
import path from 'node:path';
import { refuse } from '../csi/errors.ts';
import { parseVolumeId, type VolumeId } from '../csi/volume-id.ts';
import { FamfsError } from '../famfs/errors.ts';
import { poolOf, unmountFuse } from '../famfs/fuse/mount/mount.ts';
import { type MountPoint, parseMountinfo } from '../famfs/fuse/mount/mountinfo.ts';

/** More mounts than this on top of each other are somebody's accident that we do not go on with. */
const MAX_STACKED = 32;
/** As many symbolic links as the kernel follows. */
const MAX_LINKS = 40;
/** open(2): names a file, and does not open it. */
const O_PATH = 0o10000000;

/**
 * The mount that is visible at a path, if it is a mount point. Throws FAILED_PRECONDITION for a path
 * inside of a pool: nothing of ours is ever mounted there.
 */
export async function mountAt(target: string): Promise<MountPoint | undefined> {
  return visibleAt(target, await allMounts());
}

async function allMounts(): Promise<MountPoint[]> {
  return parseMountinfo(await fs.readFile('/proc/self/mountinfo', 'utf8'));
}

async function visibleAt(target: string, mounts: readonly MountPoint[]): Promise<MountPoint | undefined> {
  const place = await resolvePlace(target, mounts);
  return mounts.findLast(({ directory }) => directory === place);
}

/** Whether a mount shows a volume's directory, dead or alive. */
export function showsVolume(mount: MountPoint, { pool, directory }: VolumeId): boolean {
  const root = mount.root.replace(/\/\/deleted$/, ''); // what the kernel adds when it knows that the directory is gone
  return poolOf(mount) === pool && root === `/${directory}`;
}

/**
 * Inode number of the directory that is mounted at a path, as the kernel knows it: its session is not asked.
 * Undefined where the kernel does not tell (before Linux 5.14).
 */
export async function inodeAt(target: string): Promise<string | undefined> {
  const directory = await fs.open(target, O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  try {
    const info = await fs.readFile(`/proc/self/fdinfo/${directory.fd}`, 'latin1');
    return /^ino:\s*(\d+)$/m.exec(info)?.[1];
  } finally {
    await directory.close();
  }
}

/**
 * Takes a volume's mounts off a path, in use or not, and whether or not their session answers: it is not
 * asked anything. Throws FAILED_PRECONDITION when anything else is mounted there.
 *
 * `endsSession`: nobody uses the volume any more. The last mount of a session takes the session along: the
 * kernel then writes back what it has cached, and would wait for whom that session lets hang. So before
 * that mount goes, the session's requests are made to fail.
 */
export async function detachVolume(target: string, volumeId: string, { endsSession }: { endsSession: boolean }): Promise<void> {
  const id = parseVolumeId(volumeId);
  for (let count = 0; ; count++) {
    const mounts = await allMounts();
    const mount = await visibleAt(target, mounts);
    if (mount === undefined) return;
    if (id === undefined || !showsVolume(mount, id)) {
      throw refuse.precondition(`${target} is not a mount of ${volumeId}, but of ${mount.root} of ${mount.source} (${mount.type}): nothing was unmounted`);
    }
    if (count === MAX_STACKED) throw new Error(`${target}: more than ${MAX_STACKED} mounts on top of each other`);
    const isLast = mounts.every((other) => other === mount || other.deviceNumber !== mount.deviceNumber);
    await detach(mount, endsSession && isLast);
  }
}

/** Takes a mount out of sight; with `force`, its session's requests fail before that, and all later ones. */
async function detach({ directory }: MountPoint, force: boolean): Promise<void> {
  try {
    await unmountFuse(directory, { lazy: true, force });
  } catch (error) {
    if (error instanceof FamfsError && error.code === 'NOT_FOUND') return; // it went by itself
    if (!force) throw error;
    await unmountFuse(directory, { lazy: true }); // forcing is not allowed in every user namespace
  }
}

/**
 * The path as mountinfo spells it: symbolic links resolved, but for the last component. Done by hand,
 * since to go through a famfs mount can take for ever. Undefined where there is no such parent, so that
 * nothing can be mounted there.
 */
async function resolvePlace(target: string, mounts: readonly MountPoint[]): Promise<string | undefined> {
  const pools = new Set(mounts.filter((mount) => poolOf(mount) !== undefined).map(({ directory }) => directory));
  const left = path.dirname(target).split('/');
  let place = '/';
  for (let links = 0; left.length > 0;) {
    const next = path.join(place, left.shift()!);
    if (pools.has(next)) throw refuse.precondition(`${target} is inside of the pool that is mounted at ${next}: no volume is mounted there`);
    const link = await linkAt(next);
    if (link === 'missing') return undefined;
    if (link === 'none') {
      place = next;
      continue;
    }
    if (++links > MAX_LINKS) throw refuse.precondition(`${target}: more than ${MAX_LINKS} symbolic links`);
    left.unshift(...link.text.split('/'));
    if (path.isAbsolute(link.text)) place = '/';
  }
  return path.join(place, path.basename(target));
}

/** The symbolic link at a path, or that what is there is none, or that nothing is there. */
async function linkAt(place: string): Promise<{ readonly text: string } | 'none' | 'missing'> {
  try {
    return { text: await fs.readlink(place) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EINVAL') return 'none';
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    throw error;
  }
}

/** The only module of the library that mounts and unmounts. */
import fs from 'node:fs';
import { FamfsError } from '../../errors.ts';
import { type MountPoint, parseMountinfo } from './mountinfo.ts';
import { runProgram } from './programs.ts';

/** The file system type in /proc/mounts. */
export const FILE_SYSTEM_TYPE = 'fuse.famfs';
/** What its source in /proc/mounts begins with; the pool's UUID follows. */
const SOURCE_PREFIX = 'famfs:';

/**
 * Mounts an open /dev/fuse as a pool's file system. mount(8) inherits the descriptor, as number 3.
 * Permissions are the kernel's (default_permissions), and everybody's whom they let (allow_other).
 */
export async function mountFuse(fd: number, directory: string, poolUuid: string, readOnly: boolean): Promise<void> {
  const options = [
    // Said as an option: mount(8) since util-linux 2.39 loses it where it is part of the type.
    'subtype=famfs', 'fd=3', 'rootmode=40000', `user_id=${process.getuid?.() ?? 0}`, `group_id=${process.getgid?.() ?? 0}`,
    'default_permissions', 'allow_other', 'nosuid', 'nodev', ...(readOnly ? ['ro'] : []),
  ];
  // -i: no helper program; -c: take the path as it is.
  const args = ['-i', '-c', '-t', 'fuse', '-o', options.join(','), `${SOURCE_PREFIX}${poolUuid}`, directory];
  const { code, output } = await runProgram('mount', args, fd);
  if (code !== 0) throw new FamfsError('DEVICE', `mounting on ${directory} failed: ${output || `mount exited with ${code}`}`);
}

/**
 * Unmounts. Throws FamfsError IN_USE when something is open below, unless `lazy`: then the mount goes
 * out of sight at once, and ends with its last user. `force` fails what is in flight, and all later
 * requests, whether or not anybody still serves.
 */
export async function unmountFuse(directory: string, options: { lazy?: boolean; force?: boolean } = {}): Promise<void> {
  const how = [...(options.force ? ['-f'] : []), ...(options.lazy ? ['-l'] : [])];
  const { code, output } = await runProgram('umount', ['-i', '-c', ...how, directory]);
  if (code === 0) return;
  if (/busy/.test(output)) {
    throw new FamfsError('IN_USE', `${directory} is in use: files are open below it, or it is a working directory`);
  }
  if (/not mounted|no mount point/.test(output)) throw new FamfsError('NOT_FOUND', `${directory} is not mounted`);
  throw new FamfsError('DEVICE', `unmounting ${directory} failed: ${output || `umount exited with ${code}`}`);
}

/** The mounts this process sees, oldest first. */
export function mountPoints(): MountPoint[] {
  return parseMountinfo(fs.readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** UUID of the pool whose file system a mount shows, alive or dead; undefined for any other mount. */
export function poolOf({ type, source }: Pick<MountPoint, 'type' | 'source'>): string | undefined {
  return type === FILE_SYSTEM_TYPE && source.startsWith(SOURCE_PREFIX) ? source.slice(SOURCE_PREFIX.length) : undefined;
}

/** The uppermost famfs mount on a directory. */
export function famfsMountAt(directory: string): MountPoint | undefined {
  return mountPoints().findLast((point) => point.directory === directory && point.type === FILE_SYSTEM_TYPE);
}

import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { refuse } from '../csi/errors.ts';
import { type MountPoint, parseMountinfo } from '../famfs/fuse/mount/mountinfo.ts';
import { isStale } from '../famfs/fuse/protocol/errno.ts';

const run = promisify(execFile);

/** More mounts than this on top of each other are somebody's accident that we do not go on with. */
const MAX_STACKED = 32;

/** What is at a path: `dead` is a mount whose file system or directory is gone. */
export type PathHealth = 'alive' | 'dead' | 'missing';

/** The mount that is visible at a path, if it is a mount point. */
export async function mountAt(target: string): Promise<MountPoint | undefined> {
  const place = await resolvePlace(target);
  if (place === undefined) return undefined;
  const mounts = parseMountinfo(await fs.readFile('/proc/self/mountinfo', 'utf8'));
  return mounts.findLast((mount) => mount.directory === place);
}

/** Whether whoever uses the path reaches a living directory. */
export async function healthOf(target: string): Promise<PathHealth> {
  try {
    // The kernel answers stat from its cache for a while, statfs never: a server that has ended
    // shows in the second, a directory that was deleted in the pool in the first.
    await fs.stat(target);
    await fs.statfs(target);
    return 'alive';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return 'missing';
    // What a FUSE mount answers whose server has ended, and a directory that was deleted in the pool.
    if (code === 'ENOTCONN' || isStale(error) || code === 'ECONNABORTED' || code === 'ENODEV') return 'dead';
    throw error;
  }
}

/**
 * Takes every FUSE mount off a path; any other is not ours to touch. A dead one that is busy is
 * detached lazily: it can never be used again. Asked for its health is only who is busy, since one
 * whose server hangs would not answer, and keep its caller and a thread of this process for ever.
 */
export async function unmountAll(target: string): Promise<void> {
  for (let count = 0; ; count++) {
    const mount = await mountAt(target);
    if (mount === undefined) return;
    if (!mount.type.startsWith('fuse')) throw refuse.precondition(`${target} is a mount of ${mount.type}, not of a volume: unmount it yourself`);
    if (count === MAX_STACKED) throw new Error(`${target}: more than ${MAX_STACKED} mounts on top of each other`);
    const unmount = (...how: string[]) => program('umount', ['--internal-only', '--no-canonicalize', ...how, '--', target]);
    await unmount().catch(async (error: unknown) => {
      if (await healthOf(target) === 'alive') throw error;
      await unmount('--lazy');
    });
  }
}

/**
 * The path as mountinfo spells it. Only its parent is resolved: to resolve a dead mount itself fails.
 * Undefined where there is no such parent, so that nothing can be mounted there.
 */
async function resolvePlace(target: string): Promise<string | undefined> {
  try {
    return path.join(await fs.realpath(path.dirname(target)), path.basename(target));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function program(name: string, args: string[]): Promise<void> {
  try {
    await run(name, args, { timeout: 60_000, env: { ...process.env, LC_ALL: 'C' } });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`${name} ${args.join(' ')}: ${stderr?.trim() || message}`, { cause: error });
  }
}

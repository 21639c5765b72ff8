import fs from 'node:fs';
import koffi, { type KoffiFunc } from 'koffi';
import { errnoName } from '../famfs/device/libc.ts';

/**
 * Bind mounts that have their options from the first moment. What mount(8) does, to bind and then to
 * remount, changes the options of one mount only: the copy that reaches the host, which pods are
 * given, would stay without them. See open_tree(2), mount_setattr(2), move_mount(2); Linux 5.12.
 */

/** System call numbers of x86-64. */
const OPEN_TREE = 428;
const MOVE_MOUNT = 429;
const MOUNT_SETATTR = 442;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0x80000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

const ATIME_MASK = 0x70n;
/** What each option sets and clears, MOUNT_ATTR_*; the later of two that contradict each other wins. */
const ATTRIBUTES: Readonly<Record<string, readonly [set: bigint, clear: bigint]>> = {
  ro: [1n, 0n], rw: [0n, 1n], nosuid: [2n, 0n], nodev: [4n, 0n], noexec: [8n, 0n], exec: [0n, 8n],
  relatime: [0n, ATIME_MASK], norelatime: [0x20n, ATIME_MASK], strictatime: [0x20n, ATIME_MASK], noatime: [0x10n, ATIME_MASK], atime: [0n, ATIME_MASK],
  nodiratime: [0x80n, 0n], diratime: [0n, 0x80n],
};

const libc = koffi.load(null);
const openTree = libc.func('int64_t syscall(int64_t number, int64_t dfd, str path, int64_t flags)');
const setAttributes = libc.func('int64_t syscall(int64_t number, int64_t dfd, str path, int64_t flags, void *attributes, int64_t size)');
const moveMount = libc.func('int64_t syscall(int64_t number, int64_t from, str fromPath, int64_t to, str toPath, int64_t flags)');

/** Mounts a directory at a second place, with these options. Throws with the errno's name; nothing is mounted then. */
export async function bindMount(source: string, target: string, options: readonly string[]): Promise<void> {
  const what = `mounting ${source} at ${target}`;
  const tree = await call(openTree, [OPEN_TREE, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC], what);
  try {
    await call(setAttributes, [MOUNT_SETATTR, tree, '', AT_EMPTY_PATH, ...attributesOf(options)], `${what} with ${options.join(',')}`);
    await call(moveMount, [MOVE_MOUNT, tree, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH], what);
  } finally {
    fs.closeSync(tree); // a tree that was not moved is unmounted
  }
}

/** A struct mount_attr and its size. */
function attributesOf(options: readonly string[]): [Buffer, number] {
  let set = 0n;
  let clear = 0n;
  for (const option of options) {
    const change = ATTRIBUTES[option];
    if (change === undefined) throw new Error(`there is no mount option ${option}`);
    set = (set & ~change[1]) | change[0];
    clear = (clear & ~change[0]) | change[1];
  }
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(set, 0);
  attributes.writeBigUInt64LE(clear | (set & ATIME_MASK ? ATIME_MASK : 0n), 8);
  return [attributes, attributes.length];
}

/** In a thread of libuv: a path can lead to a file system whose server does not answer. */
function call(system: KoffiFunc<(...args: unknown[]) => number>, args: unknown[], what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    system.async(...args, (error: unknown, result: number) => {
      const errno = koffi.errno();
      if (error) reject(error as Error);
      else if (result < 0) reject(new Error(`${what}: ${errnoName(errno)}`));
      else resolve(Number(result));
    });
  });
}

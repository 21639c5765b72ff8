/** Id-mapped mounts, as a container runtime makes them of the volumes of a pod with `hostUsers: false`. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import koffi from 'koffi';
import { checked } from './libc.ts';
import { until } from './until.ts';

/** System calls of Linux on x86-64, and their flags. */
const OPEN_TREE = 428;
const MOVE_MOUNT = 429;
const MOUNT_SETATTR = 442;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_IDMAP = 0x100000n;

const libc = koffi.load(null);
const openTree = libc.func('int64_t syscall(int64_t number, int64_t dirfd, const char *path, int64_t flags)');
const moveMount = libc.func('int64_t syscall(int64_t number, int64_t from, const char *fromPath, int64_t to, const char *toPath, int64_t flags)');
const mountSetattr = libc.func('int64_t syscall(int64_t number, int64_t dirfd, const char *path, int64_t flags, uint8_t *attributes, int64_t size)');

/** A user namespace whose ids 0 to 65535 are those of the host from `first` on, as a pod with `hostUsers: false` gets one. */
export class PodUsers {
  readonly first: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, first: number) {
    this.#process = process;
    this.first = first;
  }

  static async make(first = 0x10000 * 7): Promise<PodUsers> {
    const child = spawn('unshare', ['--user', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const users = new PodUsers(child, first);
    const own = fs.readlinkSync('/proc/self/ns/user');
    await until(() => {
      if (fs.readlinkSync(users.#file('ns/user')) === own) throw new Error('unshare has made no user namespace');
    }, { hopeless: () => (child.exitCode === null ? undefined : 'unshare has ended') });
    for (const map of ['uid_map', 'gid_map']) fs.writeFileSync(users.#file(map), `0 ${first} 65536\n`);
    return users;
  }

  /** The command that runs another one as a user of the pod. */
  command(uid: number, ...rest: string[]): [string, string[]] {
    return ['nsenter', [`--user=${this.#file('ns/user')}`, '--setuid', String(uid), '--setgid', String(uid), '--', ...rest]];
  }

  /** Shows a directory at another place with the ids of the pod. Throws an error with the errno's name as its code. */
  bindMount(source: string, target: string): void {
    const tree = checked(Number(openTree(OPEN_TREE, AT_FDCWD, source, OPEN_TREE_CLONE)));
    const namespace = fs.openSync(this.#file('ns/user'), 'r');
    try {
      const attributes = Buffer.alloc(32); // struct mount_attr
      attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP, 0);
      attributes.writeBigUInt64LE(BigInt(namespace), 24);
      checked(Number(mountSetattr(MOUNT_SETATTR, tree, '', AT_EMPTY_PATH, attributes, attributes.length)));
      checked(Number(moveMount(MOVE_MOUNT, tree, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH)));
    } finally {
      fs.closeSync(namespace);
      fs.closeSync(tree);
    }
  }

  end(): void {
    this.#process.kill();
  }

  #file(name: string): string {
    return `/proc/${this.#process.pid}/${name}`;
  }
}

/** A "host" of a test: a mount of a pool with a host directory of its own, as on another machine. */
import fs from 'node:fs';
import { join } from 'node:path';
import { unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { type MountOptions, mountPool, type Session } from '../../src/famfs/fuse/session/session.ts';
import { remove, tempDir } from '../harness/temp.ts';

export class Host {
  readonly directory: string;
  readonly session: Session;
  readonly #root: string;

  private constructor(root: string, session: Session) {
    this.#root = root;
    this.directory = session.directory;
    this.session = session;
  }

  /** Mounts a pool on a new host, or again on the host of an earlier mount. */
  static async mount(device: string, options: Partial<MountOptions> = {}, again?: Host): Promise<Host> {
    const root = again === undefined ? tempDir('host') : again.#root;
    fs.chmodSync(root, 0o755); // other users of the host come here too
    const directory = join(root, 'mnt');
    fs.mkdirSync(directory, { recursive: true });
    const session = await mountPool({ device, directory, hostDirectory: join(root, 'run'), ...options });
    return new Host(root, session);
  }

  get hostDirectory(): string {
    return this.session.record.hostDirectory;
  }

  /** A path on the mount. */
  path(name: string): string {
    return join(this.directory, name);
  }

  async unmount(): Promise<void> {
    await this.session.unmount();
  }

  /** Unmounts and removes the host's files. A failed test may have left files open, or ended the session. */
  async end(): Promise<void> {
    await unmountFuse(this.directory, { lazy: true }).catch(() => {});
    this.session.detach();
    remove(this.#root);
  }
}

/** The errno's name that a call fails with, or 'OK'. */
export function outcome(call: () => unknown): string {
  try {
    call();
    return 'OK';
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (errno === -116) return 'ESTALE'; // Node.js knows no name for it
    return code ?? String(error);
  }
}

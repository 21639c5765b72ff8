import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { remove, tempDir } from '../harness/temp.ts';

/** Where the kernel shows its FUSE connections, on machines that mount it. */
const USUAL = '/sys/fs/fuse/connections';

/** The requests of a mount that the kernel waits for, where the kernel may be asked. */
export class Waiting {
  readonly #file: string;
  readonly #own: string | undefined;

  constructor(mount: string) {
    const connection = String(minor(statSync(mount).dev));
    if (existsSync(join(USUAL, connection))) {
      this.#file = join(USUAL, connection, 'waiting');
      return;
    }
    this.#own = tempDir('connections');
    spawnSync('mount', ['-t', 'fusectl', 'none', this.#own], { stdio: 'ignore' }); // an ordinary user may not
    this.#file = join(this.#own, connection, 'waiting');
  }

  /** Undefined where it cannot be read. */
  now(): number | undefined {
    try {
      return Number(readFileSync(this.#file, 'latin1'));
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (this.#own === undefined) return;
    spawnSync('umount', [this.#own], { stdio: 'ignore' });
    remove(this.#own);
  }
}

/** As glibc takes it from a device number. */
function minor(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}

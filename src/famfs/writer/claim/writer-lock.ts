import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cutToBytes } from '../../cut-text.ts';
import { tryLock } from '../../device/libc.ts';
import { FamfsError, messageOf } from '../../errors.ts';
import { makePrivateFolder } from '../../private-folder.ts';

/** Bytes of the claim's holder field, less the unique part and its separator. */
const HOST_MAX = 46;
const HASH_LENGTH = 16;

/**
 * A writer's name in the claim, and the proof on its own host that it runs: a lock on a file, which the
 * kernel drops when the process ends, however it ends. Who gets that lock knows that the writer is stopped.
 */
export class WriterLock {
  /** `<host id>/<16 hex digits>`: unique for every writer that ever was. */
  readonly holder: string;
  readonly #file: string;
  readonly #fd: number;

  constructor(hostId: string, hostDirectory: string) {
    const unique = randomBytes(8).toString('hex');
    this.holder = `${hostPart(hostId)}/${unique}`;
    this.#file = lockFile(hostDirectory, unique);
    this.#fd = make(this.#file);
    try {
      if (!tryLock(this.#fd, 'exclusive')) throw new FamfsError('IN_USE', `${this.#file} is new, and another process has its lock: repeat the call`);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    fs.rmSync(this.#file, { force: true });
    fs.closeSync(this.#fd);
  }
}

/** The host id as it stands in a holder's name: one that is too long ends with its hash. */
export function hostPart(hostId: string): string {
  const name = hostId.replaceAll('/', '_');
  if (Buffer.byteLength(name) <= HOST_MAX) return name;
  const hash = createHash('sha256').update(hostId).digest('hex').slice(0, HASH_LENGTH);
  return `${cutToBytes(name, HOST_MAX - HASH_LENGTH - 1)}~${hash}`;
}

/** The host that a holder's name tells. */
export function hostOf(holder: string): string {
  return holder.slice(0, holder.lastIndexOf('/'));
}

/**
 * Whether a holder that ran on this boot of this host is known to have ended: its lock is free. Where that
 * cannot be told, it is not known: no such file (it may have run with another host directory), or no lock to be had.
 */
export function lockIsFree(holder: string, hostDirectory: string): boolean {
  const file = lockFile(hostDirectory, holder.slice(holder.lastIndexOf('/') + 1));
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, 'r');
    return tryLock(fd, 'exclusive');
  } catch {
    return false;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** For our user alone: whoever may read a lock file may hold its lock, and make a dead writer look alive. */
function make(file: string): number {
  makePrivateFolder(path.dirname(file));
  try {
    return fs.openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new FamfsError('DEVICE', `${file} cannot be made: ${messageOf(error)}`, { cause: error });
  }
}

function lockFile(hostDirectory: string, unique: string): string {
  return path.join(hostDirectory, 'writers', `${unique.replaceAll(/[^0-9a-f]/g, '')}.lock`);
}

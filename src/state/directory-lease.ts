import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryLock } from '../famfs/device/libc.ts';
import { messageOf } from '../famfs/errors.ts';
import { openStateDirectory } from '../famfs/private-folder.ts';
import type { Lease } from './interfaces.ts';
import { writeDurably } from './records.ts';

const POLL_MS = 250;

/**
 * The lease as a lock on a file: the kernel gives it back when its holder ends, however it ends.
 * That is enough where all candidates share one kernel, which is what a state directory is for.
 */
export class DirectoryLease implements Lease {
  readonly lost: AbortSignal;
  readonly #fd: number;
  readonly #lockFile: string;
  readonly #epochFile: string;
  readonly #losing = new AbortController();
  #released = false;
  readonly #watch: NodeJS.Timeout;
  /** One write after the other: several pools raise at once. */
  #writing: Promise<unknown> = Promise.resolve();
  /** By file system UUID. Counts of other pools would leave gaps in a pool's claim ring. */
  readonly #epochs: Map<string, number>;

  private constructor(stateDir: string, fd: number, lockFile: string) {
    this.#fd = fd;
    this.#lockFile = lockFile;
    this.#epochFile = path.join(stateDir, 'epochs.json');
    this.#epochs = readEpochs(this.#epochFile);
    this.lost = this.#losing.signal;
    this.#watch = setInterval(() => this.#check(), POLL_MS);
    this.#watch.unref();
  }

  /**
   * Waits until nobody else holds the lease of this state directory. Rejects when `signal` aborts, and with
   * FamfsError DEVICE where the directory or its lock cannot be used.
   */
  static async acquire(stateDir: string, signal?: AbortSignal): Promise<DirectoryLease> {
    openStateDirectory(stateDir);
    const lockFile = path.join(stateDir, 'controller.lock');
    for (;;) {
      const fd = fs.openSync(lockFile, 'a', 0o600);
      try {
        // A file that was replaced between opening and locking locks nothing.
        if (tryLock(fd, 'exclusive') && isSameFile(fd, lockFile)) return new DirectoryLease(stateDir, fd, lockFile);
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
      fs.closeSync(fd);
      await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
    }
  }

  get epoch(): number {
    return Math.max(0, ...this.#epochs.values());
  }

  epochOf(pool: string): number {
    return this.#epochs.get(pool) ?? 0;
  }

  mustHold(): void {
    if (this.#released) throw new Error('the lease was given back');
    this.#check();
    this.lost.throwIfAborted();
  }

  async raise(pool: string, epoch: number): Promise<void> {
    if (epoch <= this.epochOf(pool)) return;
    this.lost.throwIfAborted();
    this.#epochs.set(pool, epoch);
    this.#writing = this.#writing.catch(() => undefined)
      .then(() => writeDurably(this.#epochFile, `${JSON.stringify(Object.fromEntries(this.#epochs))}\n`));
    await this.#writing;
  }

  async release(): Promise<void> {
    clearInterval(this.#watch);
    if (!this.lost.aborted && !this.#released) fs.closeSync(this.#fd);
    this.#released = true;
  }

  /** A lock on a file that is no longer there keeps nobody out. */
  #check(): void {
    if (this.lost.aborted) return;
    try {
      if (isSameFile(this.#fd, this.#lockFile)) return;
      this.#lose(`${this.#lockFile} was removed or replaced`);
    } catch (error) {
      this.#lose(`${this.#lockFile} cannot be looked at: ${messageOf(error)}`);
    }
  }

  #lose(reason: string): void {
    clearInterval(this.#watch);
    fs.closeSync(this.#fd);
    this.#losing.abort(new Error(`the lease is lost: ${reason}`));
  }
}

function readEpochs(file: string): Map<string, number> {
  if (!fs.existsSync(file)) return new Map();
  const text = fs.readFileSync(file, 'utf8');
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, number>);
    if (entries.every(([, epoch]) => Number.isSafeInteger(epoch) && epoch >= 0)) return new Map(entries);
  } catch {
    // said below
  }
  throw new Error(`${file} holds no epochs: restore it, or remove it to start from the pools' own claims`);
}

function isSameFile(fd: number, file: string): boolean {
  const here = fs.fstatSync(fd);
  const there = fs.statSync(file, { throwIfNoEntry: false });
  return there !== undefined && here.ino === there.ino && here.dev === there.dev;
}

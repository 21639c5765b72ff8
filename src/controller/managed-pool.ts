import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'winston';
import { refuse } from '../csi/errors.ts';
import type { PoolConfig } from '../csi/pool-config.ts';
import { FamfsError } from '../famfs/errors.ts';
import { Pool } from '../famfs/pool.ts';
import { PoolWriter, type WriterIdentity } from '../famfs/writer.ts';
import type { Lease } from '../state/interfaces.ts';

/** What every pool of a controller needs. */
export interface PoolOptions {
  readonly identity: WriterIdentity;
  readonly lease: Lease;
  readonly log: Logger;
  /** Refuses, in words, a pool that is configured already under another name. */
  readonly admit: (pool: ManagedPool, uuid: string) => string | undefined;
}

/** How long to watch a silent rival's heartbeat before its claim counts as given up. */
const CLAIM_WAIT_MS = 30_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** How often to see whether the claim was lost while nobody called. */
const CHECK_MS = 1_000;

/**
 * One pool of the controller and the way to its claim. Without the claim the pool is unavailable,
 * with the reason, and the claim is sought in the background until the controller ends.
 */
export class ManagedPool {
  readonly spec: PoolConfig;
  readonly #options: PoolOptions;
  readonly #stopping = new AbortController();
  #pool: Pool | undefined;
  #uuid: string | undefined;
  #writer: PoolWriter | undefined;
  #problem = 'its claim is still being sought';
  #seeking: Promise<void> = Promise.resolve();
  #check: NodeJS.Timeout | undefined;

  constructor(spec: PoolConfig, options: PoolOptions) {
    this.spec = spec;
    this.#options = options;
  }

  /** Opens the pool and takes its claim; resolves after the first attempt, however it ends. */
  start(): Promise<void> {
    const first = this.#attempt();
    this.#seeking = first.then(() => this.#retryUntilHeld());
    this.#check = setInterval(() => {
      if (this.#writer?.lost) this.#lose('its claim was taken over');
    }, CHECK_MS).unref();
    return first;
  }

  /** The file system's UUID, once the superblock could be read. */
  get uuid(): string | undefined {
    return this.#uuid;
  }

  /** The writer, which rules at this moment. Throws UNAVAILABLE while there is none. */
  get writer(): PoolWriter {
    if (this.#writer === undefined) throw this.unavailable();
    try {
      this.#writer.mustRule();
    } catch (error) {
      this.#lose(messageOf(error));
      throw this.unavailable();
    }
    return this.#writer;
  }

  /** The pool as it is now, readable without the claim too. Throws UNAVAILABLE where it cannot be opened. */
  get view(): Pool {
    if (this.#pool === undefined) throw this.unavailable();
    // The writer's own view is always current; without it, others write.
    if (this.#writer === undefined) this.#pool.refresh();
    return this.#pool;
  }

  get isReadable(): boolean {
    return this.#pool !== undefined;
  }

  get isWritable(): boolean {
    return this.#writer !== undefined;
  }

  /** Does something with the writer, and notices when the claim turns out to be lost. */
  write<Result>(work: (writer: PoolWriter) => Result): Result {
    try {
      return work(this.writer);
    } catch (error) {
      if (error instanceof FamfsError && error.code === 'CLAIM_LOST') this.#lose(error.message);
      throw error;
    }
  }

  /** Closes the claim and the pool. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#check);
    await this.#seeking;
    this.#close();
  }

  /** The refusal that a caller gets who needs more than there is now. */
  unavailable(): Error {
    return refuse.unavailable(`pool ${this.spec.name} (${this.spec.device}) is unavailable: ${this.#problem}`);
  }

  #lose(reason: string): void {
    this.#problem = reason;
    this.#options.log.error('claim lost', { pool: this.spec.name, reason });
    this.#close();
    this.#seeking = this.#seeking.then(() => this.#retryUntilHeld());
  }

  #close(): void {
    try {
      this.#writer?.close();
    } catch (error) {
      this.#options.log.warn('claim not closed', { pool: this.spec.name, reason: messageOf(error) });
    }
    this.#writer = undefined;
    this.#pool?.close();
    this.#pool = undefined;
  }

  async #retryUntilHeld(): Promise<void> {
    const { signal } = this.#stopping;
    let pause = FIRST_RETRY_MS;
    while (this.#writer === undefined && !signal.aborted) {
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.#attempt();
      pause = Math.min(pause * 2, LAST_RETRY_MS);
    }
  }

  async #attempt(): Promise<void> {
    const { identity, lease, log, admit } = this.#options;
    try {
      this.#pool ??= this.#open(admit);
      const writer = await PoolWriter.acquire(this.#pool, {
        identity, epochFloor: lease.epochOf(this.#pool.uuid), waitMs: CLAIM_WAIT_MS, signal: this.#stopping.signal,
      });
      await this.#remember(writer);
      log.info('claim held', { pool: this.spec.name, uuid: this.#uuid, epoch: writer.epoch });
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (error instanceof FamfsError && error.code === 'REPLACED') this.#close(); // the next attempt opens what is there now
      const reason = messageOf(error);
      if (reason !== this.#problem) log.warn('pool unavailable', { pool: this.spec.name, device: this.spec.device, reason });
      this.#problem = reason;
    }
  }

  /** Nothing may be acknowledged under an epoch that the lease could forget. */
  async #remember(writer: PoolWriter): Promise<void> {
    try {
      await this.#options.lease.raise(writer.pool.uuid, writer.epoch);
      this.#writer = writer;
    } catch (error) {
      writer.close();
      throw error;
    }
  }

  #open(admit: PoolOptions['admit']): Pool {
    const pool = Pool.open(this.spec.device, { writable: true });
    const objection = admit(this, pool.uuid);
    if (objection !== undefined) {
      pool.close();
      throw new FamfsError('IN_USE', objection);
    }
    this.#uuid = pool.uuid;
    return pool;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'winston';
import { formatBytes } from '../../csi/bytes.ts';
import { messageOf } from '../../famfs/errors.ts';
import type { PoolWriter } from '../../famfs/writer/writer.ts';
import type { Notices } from '../../state/interfaces.ts';

export interface FreeMemoryReaderOptions {
  /** The pool's name in the configuration. */
  readonly pool: string;
  readonly writer: PoolWriter;
  /** Bytes read a second: what zeroing may use, since it costs the same memory bandwidth. */
  readonly rate: number;
  /** Whether the log can be trusted. */
  readonly isSound: () => boolean;
  readonly notices: Notices;
  readonly log: Logger;
}

/** How often to look for memory that has become free. */
const IDLE_MS = 2_000;

/**
 * Reads a pool's free memory once, in the background, as long as its writer rules: memory is handed out only when
 * known to be zero, and a creation should not have to wait for that. Says how much was not.
 */
export class FreeMemoryReader {
  readonly #options: FreeMemoryReaderOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #reportedBytes = 0;

  constructor(options: FreeMemoryReaderOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Ends it, when the step that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { writer, rate, isSound, log, pool } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted && !writer.lost) {
      let pauseMs = IDLE_MS;
      try {
        const bytes = isSound() ? await writer.readFree() : undefined;
        if (bytes !== undefined) pauseMs = bytes / rate * 1000;
      } catch (error) {
        if (!signal.aborted && !writer.lost) log.warn('free memory not read', { pool, problem: messageOf(error) });
      }
      this.#report();
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #report(): void {
    const { writer: { taintedBytes }, notices, pool } = this.#options;
    if (taintedBytes === this.#reportedBytes) return;
    const found = formatBytes(taintedBytes - this.#reportedBytes);
    this.#reportedBytes = taintedBytes;
    notices.pool({
      pool, severity: 'warning', reason: 'PoolMemoryNotZero',
      message: `${found} of free memory were not zero, or were freed by another hand than the controller's: somebody else stores into this pool. ` +
        'They are scrubbed before they are used; see docs/security.md',
    });
  }
}

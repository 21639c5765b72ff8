import type { Logger } from 'winston';
import { describeApiError } from './client.ts';

/** Changes come in bursts: one pass looks at all of them. */
const GATHER_MS = 200;

/**
 * Runs a pass over all objects soon after a change, and every `everyMs` besides; one pass at a time,
 * until `signal` aborts. A pass that fails is logged, and the next one comes as usual.
 */
export class ReconcileLoop {
  readonly #pass: () => Promise<void>;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(everyMs: number, pass: () => Promise<void>, log: Logger, signal: AbortSignal) {
    this.#pass = pass;
    this.#log = log;
    this.#signal = signal;
    const regularly = setInterval(() => this.trigger(), everyMs).unref();
    signal.addEventListener('abort', () => {
      clearInterval(regularly);
      clearTimeout(this.#timer);
    }, { once: true });
  }

  /** Something has changed: a pass is to come. */
  trigger(): void {
    if (this.#signal.aborted) return;
    if (this.#running !== undefined) this.#again = true;
    else this.#timer ??= setTimeout(() => this.#run(), GATHER_MS).unref();
  }

  #run(): void {
    this.#timer = undefined;
    this.#again = false;
    this.#running = this.#pass()
      .catch((error: unknown) => void this.#log.warn('a pass over the cluster failed', { problem: describeApiError(error) }))
      .finally(() => {
        this.#running = undefined;
        if (this.#again) this.trigger();
      });
  }
}

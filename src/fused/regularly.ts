import type { Logger } from 'winston';
import { messageOf } from '../famfs/errors.ts';

/** What is done again and again. */
export interface RegularWork {
  /** What it is, for the log. */
  readonly what: string;
  readonly everyMs: number;
  readonly work: () => Promise<void>;
  readonly log: Logger;
}

/**
 * Does something at once, and again and again, one time after the other. A time that fails is logged, once as long as the reason
 * stays the same, and the next one comes as usual: nothing that goes wrong here may end the process.
 */
export class Regularly {
  readonly #options: RegularWork;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #problem = '';

  constructor(options: RegularWork) {
    this.#options = options;
    this.#timer = setInterval(() => this.#begin(), options.everyMs).unref();
    this.#begin();
  }

  /** Ends it; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #begin(): void {
    this.#running ??= this.#once().finally(() => { this.#running = undefined; });
  }

  /** Never rejects. */
  async #once(): Promise<void> {
    const { what, work, log } = this.#options;
    try {
      await work();
      this.#problem = '';
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) log.error(`${what}: failed, to be tried again`, { problem });
      this.#problem = problem;
    }
  }
}

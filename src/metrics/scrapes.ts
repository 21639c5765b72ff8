import type { Logger } from 'winston';
import { messageOf } from '../famfs/errors.ts';
import type { Metrics } from './metrics.ts';

/** Of a scrape's own time: how long its answer is told again. So scrapes take at most a tenth of a process's time. */
const REUSE_FACTOR = 10;

/** One scrape: what it tells, when it began, and, once it has ended, how long it took. */
interface Scrape {
  readonly text: Promise<string>;
  readonly began: number;
  tookMs?: number;
}

/**
 * The scrapes of one process: one at a time, however many ask. Nothing else is answered while numbers are brought
 * up to date, which can take a while, and everybody who reaches the port may ask for them.
 */
export class Scrapes {
  readonly #metrics: Pick<Metrics, 'text'>;
  readonly #log: Logger;
  #last: Scrape | undefined;

  constructor(metrics: Pick<Metrics, 'text'>, log: Logger) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /**
   * All metrics, by the scrape that is under way, or by the last one as long as it is fresh: for ten times as
   * long as it took. Rejects where the numbers cannot be had, for as long; the log says why, once.
   */
  text(): Promise<string> {
    if (this.#last === undefined || isOld(this.#last)) this.#last = this.#begin();
    return this.#last.text;
  }

  #begin(): Scrape {
    const began = performance.now(); // most of it may be done before there is a promise
    const scrape: Scrape = { text: this.#metrics.text(), began };
    const end = () => { scrape.tookMs = performance.now() - began; };
    scrape.text.then(end, (error: unknown) => {
      end();
      this.#log.error('no metrics', { reason: messageOf(error) });
    });
    return scrape;
  }
}

function isOld({ began, tookMs }: Scrape): boolean {
  return tookMs !== undefined && performance.now() - began >= REUSE_FACTOR * tookMs;
}

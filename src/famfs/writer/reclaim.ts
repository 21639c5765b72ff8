import { setTimeout as sleep } from 'node:timers/promises';
import { MIB } from '../units.ts';
import type { PoolWriter } from './writer.ts';

/** How memory is given back. */
export interface ReclaimOptions {
  readonly writer: PoolWriter;
  /** Bytes zeroed a second; Infinity for as fast as it goes. */
  readonly rate: number;
  /** Ends it between two steps. */
  readonly signal: AbortSignal;
  /** Whether the log can still be trusted; asked before each step. */
  readonly isSound?: () => boolean;
}

/** What is being zeroed. */
export interface ScrubProgress {
  /** The log entry of the deleted file. */
  readonly index: number;
  readonly bytes: number;
  readonly done: number;
}

/** Bytes zeroed between two claim reads: a burst of so long at the rate that is allowed, and no fewer or more. */
const STEP_SECONDS = 0.01;
const LEAST_STEP = 128 * 1024;
/** So many that what is between two steps is lost in the time that they take. */
const LARGEST_STEP = 512 * MIB;
/** While it frees one file after the other, how often the writer looks whether somebody else has changed a state. */
const LOOK_MS = 1000;
/** Below this, a pause is not worth a timer. */
const SHORTEST_PAUSE_MS = 2;

/**
 * Gives the memory of deleted files back (rule R6): waits for nobody and asks nobody, but takes the
 * members' word from its caller. Nothing of it needs to be remembered: what a crash leaves is
 * quarantined still, and is begun again by whoever writes next.
 */
export class Reclaim {
  readonly #options: ReclaimOptions;
  #progress: ScrubProgress | undefined;

  constructor(options: ReclaimOptions) {
    this.#options = options;
  }

  /** What is being zeroed at this moment. */
  get progress(): ScrubProgress | undefined {
    return this.#progress;
  }

  /**
   * Zeroes and frees all that every member knows to be gone, and answers how many bytes that was.
   * `acknowledged` answers the oldest change word that some member has acknowledged (undefined: there
   * is no member) and is asked after the deletions that count: who joins later sees them.
   * Throws FamfsError CLAIM_LOST; what else is wrong with one file, after the others are done.
   */
  async run(acknowledged: () => Promise<bigint | undefined>): Promise<number> {
    const { writer, signal } = this.#options;
    const candidates = writer.quarantined;
    if (candidates.length === 0) return 0;
    const oldest = await acknowledged();
    let freed = 0;
    let lookedAt = -Infinity;
    let problem: unknown;
    for (const { index, bytes, target } of candidates) {
      if (oldest !== undefined && oldest < target) continue;
      if (signal.aborted) break;
      try {
        const looksAtAll = performance.now() - lookedAt >= LOOK_MS;
        if (looksAtAll) lookedAt = performance.now();
        if (await this.#scrub(index, bytes, looksAtAll)) freed += bytes;
      } catch (error) {
        if (writer.lost) throw error;
        problem ??= error;
      }
    }
    if (problem !== undefined) throw problem;
    return freed;
  }

  async #scrub(index: number, bytes: number, looksAtAll: boolean): Promise<boolean> {
    const { writer, rate, signal, isSound = () => true } = this.#options;
    if (!isSound()) return false;
    const began = performance.now();
    try {
      for await (const done of writer.reclaim(index, stepOf(rate), looksAtAll)) {
        this.#progress = { index, bytes, done };
        const ahead = done / rate * 1000 - (performance.now() - began);
        if (ahead >= SHORTEST_PAUSE_MS) await sleep(ahead, undefined, { signal }).catch(() => undefined);
        if (signal.aborted || !isSound()) return false;
      }
      return true;
    } finally {
      this.#progress = undefined;
    }
  }
}

/** Whole multiples of the least one, so that pages stay whole. */
function stepOf(rate: number): number {
  return LEAST_STEP * Math.min(LARGEST_STEP / LEAST_STEP, Math.ceil(rate * STEP_SECONDS / LEAST_STEP));
}

import { setTimeout as sleep } from 'node:timers/promises';
import { status, type ServiceError } from '@grpc/grpc-js';

const BEAT_MS = 200;
/** A machine that is only busy is not as late as that. */
const STALL_MS = 5000;
/** What was begun before a stall may fail for so long after it. */
const AFTER_MS = 60_000;
const PATIENCE_MS = 200;
/** How calls end that were not answered, or whose first attempt is not over. */
const UNANSWERED: readonly status[] = [status.DEADLINE_EXCEEDED, status.UNAVAILABLE, status.ABORTED];
/** How a call ends while its pool's session is being replaced; how often a caller believes that, one after the other. */
const ASKED_TO_REPEAT = /repeat the call/;
const REPEATED_MAX = 10;

/**
 * Notices that the machine stood still: this process got no time, and no other is to blame for what
 * it did not answer meanwhile. Virtual machines are paused at times, for the better part of a minute.
 */
export class Stalls {
  count = 0;
  longestMs = 0;
  /** Calls that were made again. */
  repeated = 0;
  readonly #timer = setInterval(() => this.#beat(), BEAT_MS);
  #last = performance.now();
  #over = -Infinity;
  readonly #stallMs: number;

  constructor(stallMs = STALL_MS) {
    this.#stallMs = stallMs;
  }

  /** Makes a call; one that got no answer because of a stall, or that is asked to be repeated, again, as an orchestrator does. */
  readonly repeat = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let asked = 0; ;) {
      try {
        return await call();
      } catch (error) {
        this.#beat(); // this may be the first that is heard of after it
        const { code, details } = error as ServiceError;
        const isExcused = UNANSWERED.includes(code) && performance.now() - this.#over < AFTER_MS;
        const isAsked = code === status.UNAVAILABLE && ASKED_TO_REPEAT.test(details) && ++asked <= REPEATED_MAX;
        if (!isExcused && !isAsked) throw error;
        this.repeated++;
        await sleep(PATIENCE_MS);
      }
    }
  };

  close(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    const now = performance.now();
    const late = now - this.#last;
    this.#last = now;
    if (late < this.#stallMs) return;
    this.count++;
    this.longestMs = Math.max(this.longestMs, late);
    this.#over = now;
  }
}

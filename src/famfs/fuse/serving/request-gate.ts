import { uniqueOf } from '../host-state/counters.ts';
import type { Call } from '../protocol/call.ts';
import type { CrashFindings } from './messages.ts';

/** Requests that were resent come first: after so long they have been tried. */
const ONE_AT_A_TIME_MS = 2000;

/**
 * What a worker passes with each request. After a child has died in a request, the next one serves one
 * request at a time for a while: should it die too, the request under way is the one that did it.
 */
export class RequestGate {
  readonly #refused: readonly string[];
  readonly #lock: Int32Array;
  /** Until when one request is served at a time, by `performance.now`; 0 when no longer. */
  #oneAtATimeUntil: number;
  #isLocked = false;

  /** `lock`: one Int32 that all workers share. */
  constructor({ refused, careful }: Pick<CrashFindings, 'refused' | 'careful'>, lock: SharedArrayBuffer) {
    this.#refused = refused;
    this.#lock = new Int32Array(lock);
    this.#oneAtATimeUntil = careful ? performance.now() + ONE_AT_A_TIME_MS : 0;
  }

  /** Before a request is served: waits until no other worker serves one, as long as they go one at a time. */
  enter(): void {
    if (this.#oneAtATimeUntil === 0) return;
    if (performance.now() > this.#oneAtATimeUntil) this.#oneAtATimeUntil = 0;
    else {
      while (Atomics.compareExchange(this.#lock, 0, 0, 1) !== 0) Atomics.wait(this.#lock, 0, 1);
      this.#isLocked = true;
    }
  }

  /** After the answer. */
  leave(): void {
    if (!this.#isLocked) return;
    this.#isLocked = false;
    Atomics.store(this.#lock, 0, 0);
    Atomics.notify(this.#lock, 0, 1);
  }

  /** Whether two children have died of this request: then it is not tried again. */
  refuses(call: Call): boolean {
    return this.#refused.length > 0 && call.isResent && this.#refused.includes(uniqueOf(call.uniqueLow, call.uniqueHigh));
  }
}

import { uniqueOf } from '../host-state/counters.ts';
import type { Call } from '../protocol/call.ts';
import type { Doubts } from './messages.ts';

/** Requests that were resent come first: after so long they have been tried. */
const CAREFUL_MS = 2000;

/** How a worker goes about requests after a child before has died of one. */
export class Caution {
  readonly #refused: readonly string[];
  readonly #lock: Int32Array;
  #until: number;
  #holds = false;

  /** `lock`: one Int32 that all workers share. */
  constructor({ refused, careful }: Pick<Doubts, 'refused' | 'careful'>, lock: SharedArrayBuffer) {
    this.#refused = refused;
    this.#lock = new Int32Array(lock);
    this.#until = careful ? performance.now() + CAREFUL_MS : 0;
  }

  /** Before a request is served: waits until no other worker serves one, while that matters. */
  begin(): void {
    if (this.#until === 0) return;
    if (performance.now() > this.#until) this.#until = 0;
    else {
      while (Atomics.compareExchange(this.#lock, 0, 0, 1) !== 0) Atomics.wait(this.#lock, 0, 1);
      this.#holds = true;
    }
  }

  /** After its answer. */
  end(): void {
    if (!this.#holds) return;
    this.#holds = false;
    Atomics.store(this.#lock, 0, 0);
    Atomics.notify(this.#lock, 0, 1);
  }

  /** Whether a request was the end of two children. */
  refuses(call: Call): boolean {
    return this.#refused.length > 0 && call.isResent && this.#refused.includes(uniqueOf(call.uniqueLow, call.uniqueHigh));
  }
}

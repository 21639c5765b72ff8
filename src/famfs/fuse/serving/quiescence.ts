/** Words between two workers': a cache line. */
const STRIDE = 16;

/**
 * When the workers of a session have let go of what they knew. Each counts its beginnings and ends of
 * requests: odd while it serves one. What a worker begins after a change of the log, it judges by the
 * change; so who was between two requests, or has gone on to another, knows it.
 */
export class Turns {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  static of(workers: number): Turns {
    return new Turns(new SharedArrayBuffer(workers * STRIDE * 4));
  }

  /** A worker begins a request, or has answered it. */
  step(worker: number): void {
    Atomics.add(this.#words, worker * STRIDE, 1);
  }

  /** Where each worker is now. */
  now(): number[] {
    return Array.from({ length: this.#words.length / STRIDE }, (_, worker) => Atomics.load(this.#words, worker * STRIDE));
  }
}

/** For the replaying thread: which change word all workers have passed. */
export class QuiescentPoint {
  readonly #turns: Turns;
  #waiting: { readonly change: bigint; readonly turns: readonly number[] } | undefined;
  #last = 0n;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /**
   * To be called again and again, after looks at the log that began with a change word; answers one
   * when all workers have passed it, once.
   */
  passed(change: bigint): bigint | undefined {
    if (this.#waiting === undefined && change !== this.#last) this.#waiting = { change, turns: this.#turns.now() };
    if (this.#waiting === undefined) return undefined;
    const before = this.#waiting.turns;
    if (this.#turns.now().some((turn, worker) => turn === before[worker] && turn % 2 !== 0)) return undefined;
    this.#last = this.#waiting.change;
    this.#waiting = undefined;
    return this.#last;
  }
}

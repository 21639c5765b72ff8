/**
 * When it is safe to say that this host uses nothing any more that was deleted: all its workers have
 * passed a quiescent point. (The idea is that of quiescent-state reclamation, as in RCU.)
 *
 * A deletion stores the new state into the log's entry, then a new change word. A worker looks at the
 * state at the beginning of each request. So what a worker begins after the change, it answers ESTALE;
 * only a request that it had begun before may still read or write the deleted file's memory.
 *
 * Example, with two workers, A between two requests (parity even) and B in the middle of a WRITE (odd):
 *   1. The replaying thread reads change word 7, looks at the log, and takes a snapshot: A 4, B 9.
 *   2. A is even: it has no request. B is odd and still at 9: its WRITE may have begun before the
 *      change. Nothing is acknowledged yet.
 *   3. B answers (10), and takes another request (11). It is odd again, but no longer at 9: the request
 *      that it serves now began after the look. The host acknowledges change word 7.
 */

/** Words between the counts of two workers: a cache line. */
const STRIDE = 16;

/** A count for each worker, which is odd while that worker serves a request, and even between two. */
export class RequestParity {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  static of(workers: number): RequestParity {
    return new RequestParity(new SharedArrayBuffer(workers * STRIDE * 4));
  }

  /** For a worker: it begins a request, or has answered it. */
  flip(worker: number): void {
    Atomics.add(this.#words, worker * STRIDE, 1);
  }

  /** The counts of all workers now. */
  snapshot(): number[] {
    return Array.from({ length: this.#words.length / STRIDE }, (_, worker) => Atomics.load(this.#words, worker * STRIDE));
  }
}

/** For the replaying thread: which change word all workers have passed. */
export class QuiescentPoint {
  readonly #parity: RequestParity;
  /** A change word that not all workers have passed, and their counts when it was seen. */
  #waiting: { readonly change: bigint; readonly before: readonly number[] } | undefined;
  #last = 0n;

  constructor(parity: RequestParity) {
    this.#parity = parity;
  }

  /**
   * To be called after each look at the log, with the change word that was read before the look.
   * Answers a change word when all workers have passed it, each word once; otherwise undefined.
   */
  passed(change: bigint): bigint | undefined {
    if (this.#waiting === undefined && change !== this.#last) this.#waiting = { change, before: this.#parity.snapshot() };
    if (this.#waiting === undefined) return undefined;
    const { before } = this.#waiting;
    if (this.#parity.snapshot().some((count, worker) => count === before[worker] && count % 2 !== 0)) return undefined;
    this.#last = this.#waiting.change;
    this.#waiting = undefined;
    return this.#last;
  }
}

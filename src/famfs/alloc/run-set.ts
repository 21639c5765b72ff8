import { common, joined, type Run, sumOf, without } from './free-runs.ts';

/** A set of memory: runs in ascending order that neither meet nor touch. The cost of each change follows the number of runs. */
export class RunSet {
  #runs: readonly Run[] = [];

  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** Bytes of all of it. */
  get bytes(): number {
    return sumOf(this.#runs);
  }

  /** Adds runs in any order, which may meet. */
  add(runs: readonly Run[]): void {
    this.#runs = joined([...this.#runs, ...runs]);
  }

  /** Takes out runs in any order, which may meet. */
  remove(gone: readonly Run[]): void {
    this.#runs = without(this.#runs, joined(gone));
  }

  /** Takes out all that is not in some runs, which are in ascending order and do not meet. */
  keep(runs: readonly Run[]): void {
    this.#runs = joined(common(this.#runs, runs));
  }

  /** What of some runs is not in the set, in ascending order. */
  missing(runs: readonly Run[]): Run[] {
    return without(joined(runs), this.#runs);
  }
}

import type { SlotRange } from '../format/claim-record.ts';

/**
 * Slots that readers skip, whatever they hold: what a writer that was paused can still hit. Asked
 * about in ascending order, so that however many ranges there are, one walk over them is enough.
 */
export class Guards {
  readonly #ranges: readonly { readonly first: number; readonly end: number }[];
  /** The first range that does not lie behind. */
  #next = 0;

  constructor(ranges: readonly SlotRange[], capacity: number) {
    this.#ranges = ranges.map(({ first, count }) => ({ first, end: Math.min(first + count, capacity) }))
      .filter(({ first, end }) => first < end)
      .sort((a, b) => a.first - b.first);
  }

  /** How many guarded slots begin at `index`. */
  at(index: number): number {
    while (this.#next < this.#ranges.length && this.#ranges[this.#next].end <= index) this.#next++;
    const next = this.#ranges[this.#next];
    return next !== undefined && next.first <= index ? next.end - index : 0;
  }

  /** Slots from `index`, which is not guarded, to the next that is; Infinity when there is none. */
  distance(index: number): number {
    return this.#next < this.#ranges.length ? this.#ranges[this.#next].first - index : Infinity;
  }
}

import type { SlotRange } from '../format/claim-record.ts';

/** Slots that readers skip, whatever they hold: what a writer that was paused can still hit. */
export class Guards {
  readonly #ranges: readonly SlotRange[];
  readonly #capacity: number;

  constructor(ranges: readonly SlotRange[], capacity: number) {
    this.#ranges = ranges;
    this.#capacity = capacity;
  }

  /** How many guarded slots begin at `index`. */
  at(index: number): number {
    for (const { first, count } of this.#ranges) {
      if (index >= first && index < first + count) return Math.min(first + count, this.#capacity) - index;
    }
    return 0;
  }

  /** Slots from `index` to the next guarded one; Infinity when there is none. */
  distance(index: number): number {
    let distance = Infinity;
    for (const { first } of this.#ranges) if (first > index) distance = Math.min(distance, first - index);
    return distance;
  }
}

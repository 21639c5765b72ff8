import { ClaimLayout, type SlotRange } from '../format/claim-record.ts';
import type { ListInForce } from './claim-ring.ts';
import type { Problem } from './problem.ts';

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

/**
 * Why no writer can have made this list of guards, for a log of `capacity` slots; undefined where one can. A list has
 * a CRC, but not against forgers: one range over all slots would hide every entry, and the next take-over would store
 * guards over them. A list that breaks these rules is damage. An older list is never used in its place, since it may
 * lack the guard that counts.
 *
 * A take-over guards four slots at the log's end. So a range also never begins behind the end that is found with
 * the list, which only who has read the log can judge: see `guardsBehindEnd`.
 */
export function guardListProblem(ranges: readonly SlotRange[], capacity: number): string | undefined {
  const { guardSlots, guardedSlotsMax } = ClaimLayout;
  let slots = 0;
  let end = 0;
  for (const { first, count } of [...ranges].sort((a, b) => a.first - b.first)) {
    if (count === 0 || count % guardSlots !== 0) return `it guards ${count} slots from ${first} on, which is no multiple of ${guardSlots}`;
    if (first < end) return `it guards slot ${first} twice`;
    end = first + count;
    if (end > capacity) return `it guards slots up to ${end}; the log has ${capacity}`;
    slots += count;
  }
  return slots > guardedSlotsMax ? `it guards ${slots} slots; at most ${guardedSlotsMax} are possible` : undefined;
}

/** Says that a list guards slots behind `end`, the end of the log as it was read with that list: no take-over does so. A reader never gets there. */
export function guardsBehindEnd({ epoch, guards }: ListInForce, end: number): Problem[] {
  const range = guards.find(({ first }) => first > end);
  if (range === undefined) return [];
  return [{ place: 'claim', severity: 'damage', reason: `the list of epoch ${epoch} guards ${range.count} slots from ${range.first} on; the log ends at ${end}` }];
}

/** Why a list cannot be followed: which slots count is not known then. */
export function listProblem({ epoch, guards }: ListInForce, capacity: number): Problem | undefined {
  const problem = guardListProblem(guards, capacity);
  if (problem === undefined) return undefined;
  const reason = `no writer has made the list of epoch ${epoch}: ${problem}; "famfs-csi reset-claim" removes the records of a claim ring that were forged`;
  return { place: 'claim', severity: 'damage', reason };
}

/**
 * Whether slots may have become guarded, or have ceased to be, since a replay read the list `known`: that in force now
 * differs, or is not the next one and others stood between. One of the same epoch never differs, unless somebody has
 * stored over it.
 */
export function mayGuardOthers(known: ListInForce, now: ListInForce): boolean {
  return (now.epoch !== known.epoch && now.epoch !== known.epoch + 1) || JSON.stringify(now.guards) !== JSON.stringify(known.guards);
}

import { ClaimLayout, type SlotRange } from '../format/claim-record.ts';
import { EntryLayout } from '../format/entry-layout.ts';
import { decodeEntry } from '../format/entry.ts';
import { EntryType } from '../format/state-word.ts';
import type { ClaimRing, ListInForce } from './claim-ring.ts';
import type { Geometry } from './geometry.ts';
import { LogScanner } from './log-scanner.ts';
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
export function listProblem(geometry: Geometry, ring: ClaimRing, list: ListInForce): Problem | undefined {
  const problem = guardListProblem(list.guards, geometry.capacity) ?? listMisfit(geometry, ring, list);
  if (problem === undefined) return undefined;
  const reason = `no writer has made the list of epoch ${list.epoch}: ${problem}; "famfs-csi reset-claim" removes the records of a claim ring that were forged`;
  return { place: 'claim', severity: 'damage', reason };
}

/**
 * Why no history of writers leads to this list and this log; undefined where one can. A writer that wakes up late stores
 * one batch into guarded slots. One that ends before it has stored its guards, or zeroes the next slots late, leaves as
 * many of them empty. Whose record has no list has appended nothing: each attempt to take such a pool over leaves one.
 */
export function listMisfit(geometry: Geometry, ring: ClaimRing, list: ListInForce): string | undefined {
  if (list.guards.length === 0) return undefined;
  const records = ring.records();
  const hidden = hiddenEntries(geometry, list);
  const mostHidden = ClaimLayout.guardSlots * records.filter(({ head }) => ring.list(head) !== undefined).length;
  if (hidden.length > mostHidden) {
    return `it hides ${hidden.length} live entries, entry ${hidden[0].index} for one; writers that woke up late have stored ${mostHidden} at most`;
  }
  const empty = emptySlots(geometry, list);
  const mostEmpty = ClaimLayout.guardSlots * (records.length + 1); // one slot more may be damaged
  return empty > mostEmpty ? `it guards ${empty} slots without a guard; writers that were cut short have left ${mostEmpty} at most` : undefined;
}

/** Live entries in guarded slots, which nobody sees. */
export function hiddenEntries({ log, capacity }: Geometry, { epoch, guards }: ListInForce): Problem[] {
  const scanner = new LogScanner(log);
  const hidden: Problem[] = [];
  for (const slot of slotsOf(guards, capacity)) {
    if (scanner.read(slot, 1) === 0) continue;
    const type = scanner.words[EntryLayout.type / 4];
    if (type !== EntryType.File && type !== EntryType.Directory) continue;
    const { body } = decodeEntry(scanner.bytes.subarray(0, EntryLayout.size));
    const path = 'path' in body ? { path: body.path } : {};
    const reason = `live, and hidden by the list of guards of epoch ${epoch}: stored by a writer that woke up late, or the list is forged`;
    hidden.push({ place: 'log entry', index: slot, severity: 'reject', reason, ...path });
  }
  return hidden;
}

/** Guarded slots without a valid entry. */
function emptySlots({ log, capacity }: Geometry, { guards }: ListInForce): number {
  const scanner = new LogScanner(log);
  let empty = 0;
  for (const slot of slotsOf(guards, capacity)) if (scanner.read(slot, 1) === 0) empty++;
  return empty;
}

function* slotsOf(guards: readonly SlotRange[], capacity: number): Generator<number> {
  for (const { first, count } of guards) for (let slot = first; slot < Math.min(first + count, capacity); slot++) yield slot;
}

/**
 * Whether slots may have become guarded, or have ceased to be, since a replay read the list `known`: that in force now
 * differs, or is not the next one and others stood between. One of the same epoch never differs, unless somebody has
 * stored over it.
 */
export function mayGuardOthers(known: ListInForce, now: ListInForce): boolean {
  return (now.epoch !== known.epoch && now.epoch !== known.epoch + 1) || JSON.stringify(now.guards) !== JSON.stringify(known.guards);
}

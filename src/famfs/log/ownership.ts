import { ExtentMap } from '../alloc/extent-map.ts';
import { freeBytes, type Run } from '../alloc/free-runs.ts';
import type { CheckedMap } from '../index/index-store.ts';

/**
 * Which node owns which memory of the pool. Live and quarantined files are kept apart, so that the live one that a
 * map meets is found at once, however many quarantined ones it meets besides.
 */
export class Ownership {
  readonly live = new ExtentMap();
  readonly quarantined = new ExtentMap();

  /** Both: their ranges do not meet. */
  readonly maps: readonly ExtentMap[] = [this.live, this.quarantined];

  /** As `ExtentMap.changes`. */
  get changes(): number {
    return this.live.changes + this.quarantined.changes;
  }

  /**
   * Gives the extents of a checked map to a live node; false, and nothing given, when they meet another one's or each
   * other. Quarantined owners are for the caller to judge.
   */
  own(node: number, { count, addresses, lengths }: CheckedMap): boolean {
    for (let k = 0; k < count; k++) {
      const end = addresses[k] + lengths[k];
      if (this.live.overlapping(addresses[k], end) !== undefined) {
        for (let done = 0; done < k; done++) this.live.remove(addresses[done], node);
        return false;
      }
      this.live.add(addresses[k], end, node);
    }
    return true;
  }

  /** A live node's memory is quarantined from now on. */
  quarantine(node: number, extents: readonly Run[]): void {
    for (const { start, end } of extents) {
      this.live.remove(start, node);
      this.quarantined.add(start, end, node);
    }
  }

  disown(node: number, extents: readonly Run[]): void {
    for (const { start } of extents) {
      this.live.remove(start, node);
      this.quarantined.remove(start, node);
    }
  }
}

/** Free bytes of a pool, counted again only where memory has changed hands. */
export class FreeBytes {
  #of: Ownership | undefined;
  #changes = -1;
  #bytes = 0;

  count(memory: Ownership, rejects: RejectedMemory, areas: readonly Run[]): number {
    const changes = memory.changes + rejects.changes; // both only grow
    if (this.#of === memory && this.#changes === changes) return this.#bytes;
    [this.#of, this.#changes] = [memory, changes];
    return this.#bytes = rejects.tooMany ? 0 : freeBytes(memory.maps, rejects.ranges, areas);
  }
}

/**
 * The most rejects that a log may have (a rule of the format). No writer makes any, so with more somebody else
 * writes here: the pool counts as damaged, and what memory they name is not kept any longer.
 */
export const REJECTS_MAX = 4096;

/**
 * The memory of rejects: allocated, and nobody's. Their ranges may meet each other and those of files, so
 * they are kept as one union, besides the list that it is made of.
 */
export class RejectedMemory {
  readonly #most: number;
  #count = 0;
  #changes = 0;
  /** By log index: start and end of each extent in turn. Undefined once there were too many. */
  #lists: Map<number, Float64Array> | undefined = new Map();
  #union = new ExtentMap();
  #isUnionOld = false;

  constructor(most = REJECTS_MAX) {
    this.#most = most;
  }

  /** There were too many of them: nothing is free as far as anybody knows. */
  get tooMany(): boolean {
    return this.#lists === undefined;
  }

  /** There are no longer too many, and only a fresh replay tells what memory is theirs. */
  get isUnknown(): boolean {
    return this.#lists === undefined && this.#count <= this.#most;
  }

  /** As `ExtentMap.changes`. */
  get changes(): number {
    return this.#changes;
  }

  add(index: number, { count, addresses, lengths }: CheckedMap): void {
    this.#changes++;
    if (++this.#count > this.#most) this.#forget();
    if (this.#lists === undefined) return;
    const list = new Float64Array(2 * count);
    for (let k = 0; k < count; k++) {
      list[2 * k] = addresses[k];
      list[2 * k + 1] = addresses[k] + lengths[k];
    }
    this.#lists.set(index, list);
    if (!this.#isUnionOld) this.#hold(list);
  }

  /** It has become void. */
  remove(index: number): void {
    this.#changes++;
    this.#count--;
    if (this.#lists?.delete(index)) this.#isUnionOld = true;
  }

  /** All of it. */
  get ranges(): ExtentMap {
    if (this.#isUnionOld) {
      this.#union = new ExtentMap();
      for (const list of this.#lists?.values() ?? []) this.#hold(list);
      this.#isUnionOld = false;
    }
    return this.#union;
  }

  #hold(list: Float64Array): void {
    for (let k = 0; k < list.length; k += 2) {
      let [start, end] = [list[k], list[k + 1]];
      for (;;) {
        const met = this.#union.overlapping(start, end);
        if (met === undefined) break;
        this.#union.remove(met.start, met.owner);
        [start, end] = [Math.min(start, met.start), Math.max(end, met.end)];
      }
      this.#union.add(start, end, 0);
    }
  }

  #forget(): void {
    this.#lists = undefined;
    this.#union = new ExtentMap();
    this.#isUnionOld = false;
  }
}

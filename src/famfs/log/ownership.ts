import { ExtentMap } from '../alloc/extent-map.ts';
import type { Run } from '../alloc/free-runs.ts';
import type { CheckedMap } from '../index/index-store.ts';

/** Which node owns which memory of the pool. */
export class Ownership extends ExtentMap {
  /** Gives the extents of a checked map to a node; false, and nothing given, when they meet any other or each other. */
  own(node: number, { count, addresses, lengths }: CheckedMap): boolean {
    for (let k = 0; k < count; k++) {
      const end = addresses[k] + lengths[k];
      if (this.overlapping(addresses[k], end) !== undefined) {
        for (let done = 0; done < k; done++) this.remove(addresses[done], node);
        return false;
      }
      this.add(addresses[k], end, node);
    }
    return true;
  }

  disown(node: number, extents: readonly Run[]): void {
    for (const { start } of extents) this.remove(start, node);
  }
}

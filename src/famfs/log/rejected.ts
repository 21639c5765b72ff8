import type { Run } from '../alloc/free-runs.ts';
import type { Region } from '../device/region.ts';
import { stateOffset } from '../format/log-header.ts';
import type { CheckedMap } from '../index/index-store.ts';

/** A sound entry that was refused. Its memory counts as allocated, and as nobody's. */
export interface Rejected {
  readonly index: number;
  readonly path: string | undefined;
  /** Its state word when it was judged. */
  readonly word: bigint;
  readonly extents: readonly Run[];
}

export function rejectedEntry(index: number, path: string | undefined, word: bigint, map: CheckedMap): Rejected {
  const { count, addresses, lengths } = map;
  const extents = Array.from({ length: count }, (_, k) => ({ start: addresses[k], end: addresses[k] + lengths[k] }));
  return { index, path, word, extents };
}

/** Those that would come to life when an entry with this path and memory goes. */
export function collidingWith(rejected: readonly Rejected[], path: string, extents: readonly Run[]): Rejected[] {
  const meets = (a: Run) => extents.some((b) => a.start < b.end && b.start < a.end);
  return rejected.filter((one) => one.path === path || one.extents.some(meets));
}

/** Whether one of them is in another state than when it was judged. */
export function anyMoved(rejected: readonly Rejected[], log: Region): boolean {
  return rejected.some(({ index, word }) => log.load64(stateOffset(index)) !== word);
}

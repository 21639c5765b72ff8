import type { Run } from '../alloc/free-runs.ts';
import type { Region } from '../device/region.ts';
import { stateOffset } from '../format/log-header.ts';
import type { CheckedMap } from '../index/index-store.ts';

/** So many are named in one message. */
const NAMED_MAX = 3;

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

/**
 * The files among them that have memory of the files at `paths`, which lie at `extents`: clones that the reference
 * tools made. Their mounts show these, and ours do not; but for one at a path that is taken, which nobody shows.
 */
export function aliasesOf(rejected: readonly Rejected[], paths: ReadonlySet<string>, extents: readonly Run[]): Rejected[] {
  const sorted = [...extents].sort((a, b) => a.start - b.start); // no two live files meet
  return rejected.filter(({ path, extents: own }) => (path === undefined || !paths.has(path)) && own.some((run) => meetsOne(sorted, run)));
}

/** Whether a run meets one of those that are given in ascending order and do not meet each other. */
function meetsOne(sorted: readonly Run[], { start, end }: Run): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle].end > start) high = middle;
    else low = middle + 1;
  }
  return low < sorted.length && sorted[low].start < end;
}

/** Names the first few, for people. */
export function nameRejected(rejected: readonly Pick<Rejected, 'index' | 'path'>[]): string {
  const names = rejected.slice(0, NAMED_MAX).map(({ index, path }) => `${path === undefined ? '' : `${JSON.stringify(path)}, `}log entry ${index}`);
  return rejected.length > NAMED_MAX ? `${names.join('; ')}; and ${rejected.length - NAMED_MAX} more` : names.join('; ');
}

/** Whether one of them is in another state than when it was judged. */
export function anyMoved(rejected: readonly Rejected[], log: Region): boolean {
  return rejected.some(({ index, word }) => log.load64(stateOffset(index)) !== word);
}

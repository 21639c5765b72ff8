import type { MappedMemory, Window } from '../../device/pool-memory.ts';
import type { Populated } from '../../device/populated.ts';
import type { IndexView } from '../../index/index-view.ts';
import type { BadRange } from '../host-state/bad-ranges.ts';
import type { Override, Overrides } from '../host-state/overrides.ts';

/** What the operations need of a pool's index. A test can serve another one. */
export type ServedIndex = Pick<IndexView,
  | 'isSamePool' | 'poolUuid' | 'allocationUnit' | 'lookup' | 'liveness' | 'isDirectory' | 'size' | 'mode' | 'uid' | 'gid'
  | 'parent' | 'firstChild' | 'nextSibling' | 'childAfter' | 'name' | 'ranges' | 'extents' | 'interleave'
  | 'isCurrent' | 'catchUp' | 'usage'>;

/** What the operations need of the override table. */
export type ServedOverrides = Pick<Overrides, 'isUsed' | 'hasGroups' | 'createdSeconds' | 'read' | 'change'>;

/** The file system as one worker serves it. */
export interface FileSystem {
  readonly index: ServedIndex;
  readonly overrides: ServedOverrides;
  /** The pool's memory, as it is mapped into this process. */
  readonly memory: Pick<MappedMemory, 'window'>;
  /** How long the kernel may keep names and attributes without asking again. */
  readonly cacheSeconds: number;
  /** Which of that memory was faulted in. */
  readonly populated: Pick<Populated, 'ensure'>;
  /** What must not be touched. */
  readonly bad: readonly BadRange[];
  /** Scratch of this worker, so that GETATTR allocates nothing. */
  readonly override: Override;
  /** Called after a mistake of ours in an operation; the request is answered EIO. */
  readonly failed: (operation: string, error: unknown) => void;
}

/** The memory of bytes [offset, offset + length) of a file, in order, clipped to its size: views, no copies. */
export function windowsOf({ index, memory }: FileSystem, node: number, offset: number, length: number): Window[] {
  return index.ranges(node, offset, length).map(({ start, end }) => memory.window(start, end - start));
}

/** How long a LOOKUP or STATFS waits for the replay thread to reach what other hosts wrote. */
const CATCH_UP_MS = 1000;

/**
 * Waits until the index knows what was visible in the log when the request came, for a second at most.
 * When that is not enough, the answer is what is known: it was true a moment ago.
 */
export function catchUp(fs: FileSystem): void {
  if (!fs.index.isCurrent()) fs.index.catchUp(CATCH_UP_MS);
}

import type { ExtentMap } from './extent-map.ts';

/** A stretch of device memory in bytes: [start, end). */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/**
 * The memory in [start, end) that nobody owns, in ascending order. `held` names further ranges
 * that must not be used, in any order, overlapping or not.
 */
export function freeRuns(memory: ExtentMap, held: readonly Run[], start: number, end: number): Run[] {
  const free: Run[] = [];
  let at = start;
  for (const taken of merged(memory.ranges(start), [...held].sort((a, b) => a.start - b.start))) {
    if (taken.start >= end) break;
    if (taken.start > at) free.push({ start: at, end: taken.start });
    at = Math.max(at, taken.end);
  }
  if (at < end) free.push({ start: at, end });
  return free;
}

export function sumOf(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.end - run.start, 0);
}

function* merged(owned: Iterable<Run>, held: readonly Run[]): Generator<Run> {
  let k = 0;
  for (const range of owned) {
    while (k < held.length && held[k].start <= range.start) yield held[k++];
    yield range;
  }
  while (k < held.length) yield held[k++];
}

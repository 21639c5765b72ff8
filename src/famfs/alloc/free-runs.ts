import type { ExtentMap } from './extent-map.ts';

/** A stretch of a pool's memory, as pool addresses: [start, end). It lies on one device. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/**
 * The memory in some areas that nobody owns, in ascending order, as the areas are. `held` names further
 * ranges that must not be used, in any order, overlapping or not.
 */
export function freeRuns(memory: ExtentMap, held: readonly Run[], areas: readonly Run[]): Run[] {
  const sorted = [...held].sort((a, b) => a.start - b.start);
  return areas.flatMap((area) => freeIn(memory, sorted, area));
}

function freeIn(memory: ExtentMap, held: readonly Run[], { start, end }: Run): Run[] {
  const free: Run[] = [];
  let at = start;
  for (const taken of merged(memory.ranges(start), held)) {
    if (taken.start >= end) break;
    if (taken.start > at) free.push({ start: at, end: taken.start });
    at = Math.max(at, taken.end);
  }
  if (at < end) free.push({ start: at, end });
  return free;
}

/** The parts of a run that lie in given areas, which are in ascending order and do not meet. */
export function partsWithin({ start, end }: Run, areas: readonly Run[]): Run[] {
  return areas.map((area) => ({ start: Math.max(start, area.start), end: Math.min(end, area.end) }))
    .filter((part) => part.start < part.end);
}

/** Bytes of all of them. */
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

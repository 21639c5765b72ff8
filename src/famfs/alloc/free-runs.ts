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
export function freeRuns(taken: readonly ExtentMap[], held: readonly Run[], areas: readonly Run[]): Run[] {
  const sorted = [...held].sort((a, b) => a.start - b.start);
  return areas.flatMap((area) => freeIn(taken, sorted, area));
}

/** Bytes of some areas that are in none of some maps, whose ranges do not meet, nor in `held`, whose ranges may meet theirs. */
export function freeBytes(taken: readonly ExtentMap[], held: ExtentMap, areas: readonly Run[]): number {
  const takenWithin = (start: number, end: number) => taken.reduce((bytes, map) => bytes + map.bytesWithin(start, end), 0);
  let free = 0;
  for (const { start, end } of areas) {
    free += end - start - takenWithin(start, end);
    for (const range of held.ranges(start)) {
      if (range.start >= end) break;
      const [from, to] = [Math.max(range.start, start), Math.min(range.end, end)];
      free -= to - from - takenWithin(from, to);
    }
  }
  return free;
}

function freeIn(maps: readonly ExtentMap[], held: readonly Run[], { start, end }: Run): Run[] {
  const free: Run[] = [];
  let at = start;
  for (const taken of maps.reduce((runs: Iterable<Run>, map) => merged(map.ranges(start), runs), held)) {
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

/** The same memory in ascending order, in runs that neither meet nor touch. */
export function joined(runs: readonly Run[]): Run[] {
  const found: Run[] = [];
  for (const run of [...runs].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last !== undefined && last.end >= run.start) found[found.length - 1] = { start: last.start, end: Math.max(last.end, run.end) };
    else if (run.start < run.end) found.push(run);
  }
  return found;
}

/** What is in both, each of which is in ascending order and does not meet itself. In one pass, however many they are. */
export function common(one: readonly Run[], other: readonly Run[]): Run[] {
  const found: Run[] = [];
  let k = 0;
  for (const { start, end } of one) {
    while (k < other.length && other[k].end <= start) k++;
    for (let at = k; at < other.length && other[at].start < end; at++) {
      found.push({ start: Math.max(start, other[at].start), end: Math.min(end, other[at].end) });
    }
  }
  return found;
}

/** What is in the first and not in the other, under the same conditions. */
export function without(runs: readonly Run[], gone: readonly Run[]): Run[] {
  const left: Run[] = [];
  let k = 0;
  for (const { start, end } of runs) {
    while (k < gone.length && gone[k].end <= start) k++;
    let from = start;
    for (let at = k; at < gone.length && gone[at].start < end; at++) {
      if (gone[at].start > from) left.push({ start: from, end: gone[at].start });
      from = gone[at].end;
    }
    if (from < end) left.push({ start: from, end });
  }
  return left;
}

/** Bytes of all of them. */
export function sumOf(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.end - run.start, 0);
}

/** Two sequences in ascending order as one. */
function* merged(one: Iterable<Run>, other: Iterable<Run>): Generator<Run> {
  const others = other[Symbol.iterator]();
  let next = others.next();
  for (const run of one) {
    for (; !next.done && next.value.start <= run.start; next = others.next()) yield next.value;
    yield run;
  }
  for (; !next.done; next = others.next()) yield next.value;
}

/** How much more a figure may be in the end than in the beginning: the larger of the two counts. */
export interface Allowance {
  readonly absolute: number;
  /** Of what it was in the beginning. */
  readonly relative: number;
}

/** A figure over a time: the medians of its first and its last quarter, in its own unit. */
export interface Course {
  readonly first: number;
  readonly last: number;
}

/** Share of the samples in which caches and heaps fill, which are not judged. */
const WARM_UP = 0.2;
/** With fewer, a quarter is too small for its median to mean anything. */
const LEAST_SAMPLES = 20;

/**
 * Medians, because a heap is a saw: single samples lie, and a collection that was late is no leak.
 * Throws when there are too few samples to judge.
 */
export function courseOf(samples: readonly number[]): Course {
  const judged = samples.slice(Math.floor(samples.length * WARM_UP));
  if (judged.length < LEAST_SAMPLES) throw new Error(`${judged.length} samples after the warm-up, which is too few to judge`);
  const quarter = Math.floor(judged.length / 4);
  return { first: median(judged.slice(0, quarter)), last: median(judged.slice(-quarter)) };
}

/** Whether a figure has grown by more than is allowed. */
export function hasGrown({ first, last }: Course, { absolute, relative }: Allowance): boolean {
  return last - first > Math.max(absolute, relative * first);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

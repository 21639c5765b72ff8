/** One comparison of a benchmark. Ratios travel between machines, absolute figures do not. */
export interface BenchResult {
  readonly name: string;
  readonly ratio: number;
  /** What the ratio must not pass; without one it is only reported. */
  readonly limit?: number;
  /** What the ratio must reach. */
  readonly least?: number;
  /** The absolute figures behind the ratio. */
  readonly detail: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle];
}

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
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

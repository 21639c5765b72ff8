/** What came of the tiers, in numbers and in print. */
import type { Timed } from './reporter.ts';

/** A tier's result: counts, and what the runner itself found wrong (each counted as a failure). */
export interface TierResult {
  passed: number;
  failed: number;
  skipped: number;
  problems: string[];
  /** Wall time. */
  ms: number;
  /** Why the tier was not run at all. */
  reason?: string;
}

/** `N passed, N failed, N skipped` */
export function counts({ passed, failed, skipped }: Omit<TierResult, 'problems' | 'ms'>): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** A duration as it is printed: to a tenth of a second. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const SLOWEST = 5;

/** Lines about what took the longest in a tier, hooks included. */
export function slowest(timed: readonly Timed[]): string[] {
  const longest = timed.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  return longest.map(({ title, ms }) => `${seconds(ms).padStart(9)}  ${title}`);
}

/** Prints counts, problems and time of each tier, then named times of the whole (ms); answers how many failed. */
export function printTotals(results: ReadonlyMap<string, TierResult>, wholes: Readonly<Record<string, number>>): number {
  const total = { passed: 0, failed: 0, skipped: 0 };
  console.log('\n== totals');
  for (const [name, result] of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    const why = result.reason ? ` (not run: ${result.reason})` : '';
    console.log(`   ${name.padEnd(12)}${seconds(result.ms).padStart(9)}  ${counts(result)}${why}`);
    for (const problem of result.problems) console.log(`${' '.repeat(26)}FAILED: ${problem}`);
  }
  for (const [name, ms] of Object.entries(wholes)) console.log(`   ${name.padEnd(12)}${seconds(ms).padStart(9)}`);
  console.log(`\n${counts(total)}`);
  return total.failed;
}

/**
 * The checked-in list of tests that may be skipped. A skip that nobody wrote down, and a line
 * that no longer names a test, both fail the run: neither can rot in silence.
 */
import { readFileSync } from 'node:fs';
import type { TierReport } from './reporter.ts';

/** One line of test/skips.json: a test that may be pending, and why. */
export interface AllowedSkip {
  tier: string;
  /** The test's full title. */
  test: string;
  reason: string;
}

/** Reads and checks test/skips.json. */
export function readSkips(file: string | URL): AllowedSkip[] {
  const lines = JSON.parse(readFileSync(file, 'utf8')) as AllowedSkip[];
  for (const line of lines) {
    if (!line.tier || !line.test || !line.reason) {
      throw new Error(`skips.json: a line needs tier, test and reason: ${JSON.stringify(line)}`);
    }
  }
  return lines;
}

/** What is wrong with a tier's skips, one sentence each; `whole` = no test was filtered out. */
export function skipProblems(
  tier: string,
  report: TierReport,
  skips: AllowedSkip[],
  whole: boolean,
): string[] {
  const allowed = new Set(skips.filter((skip) => skip.tier === tier).map((skip) => skip.test));
  const problems = report.pending
    .filter((title) => !allowed.has(title))
    .map((title) => `skipped, but not on the list test/skips.json: ${title}`);
  if (!whole) return problems;
  const defined = new Set(report.defined);
  for (const title of allowed) {
    if (!defined.has(title)) problems.push(`test/skips.json names no test of this tier: ${title}`);
  }
  return problems;
}

/** What a run of csi-sanity has to look like. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Check } from './run-sanity.ts';

/** Checks that csi-sanity leaves out by itself, and why that is right for this driver. */
interface ExpectedSkip {
  readonly check: string;
  readonly reason: string;
}

const expectedSkips = (JSON.parse(readFileSync(new URL('./expected-skips.json', import.meta.url), 'utf8')) as ExpectedSkip[])
  .map(({ check }) => check).sort();

/** Asserts that nothing failed, and that nothing was left out but what is on the list; prints the counts. */
export function judgeChecks(title: string, checks: readonly Check[]): void {
  const named = (state: Check['state']) => checks.filter((check) => check.state === state);
  console.log(`      ${title}: ${named('passed').length} passed, ${named('failed').length} failed, ${named('skipped').length} skipped`);
  assert.deepEqual(named('failed').map(({ name, message }) => `${name}: ${message}`), []);
  assert.deepEqual(named('skipped').map(({ name }) => name).sort(), expectedSkips);
  assert.ok(named('passed').length > 40, 'csi-sanity ran hardly anything');
}

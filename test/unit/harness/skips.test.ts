import assert from 'node:assert/strict';
import type { TierReport } from '../../harness/reporter.ts';
import { skipProblems } from '../../harness/skips.ts';

const report = (pending: string[]): TierReport => ({
  defined: ['a', 'b'],
  passed: 2 - pending.length,
  failed: [],
  pending,
  timed: [],
  tooLong: [],
});
const listed = { tier: 'unit', test: 'b', reason: 'b needs two hosts' };

describe('list of allowed skips', () => {
  it('lets a listed test be skipped, or run', () => {
    assert.deepEqual(skipProblems('unit', report(['b']), [listed], true), []);
    assert.deepEqual(skipProblems('unit', report([]), [listed], true), []);
  });

  it('names a skipped test that nobody listed, and one listed for another tier', () => {
    const problem = 'skipped, but not on the list test/skips.json: a';
    assert.deepEqual(skipProblems('unit', report(['a']), [listed], true), [problem]);
    const elsewhere = { ...listed, test: 'a', tier: 'vm' };
    assert.deepEqual(skipProblems('unit', report(['a']), [elsewhere], false), [problem]);
  });

  it('names a line without a test, when all tests were asked for', () => {
    const gone = { ...listed, test: 'gone' };
    const problem = 'test/skips.json names no test of this tier: gone';
    assert.deepEqual(skipProblems('unit', report([]), [gone], true), [problem]);
    assert.deepEqual(skipProblems('unit', report([]), [gone], false), []);
  });
});

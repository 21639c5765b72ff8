import assert from 'node:assert/strict';
import { counts, slowest } from '../../harness/results.ts';

describe('results of tiers', () => {
  it('are counted in the words that the last line has', () => {
    assert.equal(counts({ passed: 3, failed: 0, skipped: 2 }), '3 passed, 0 failed, 2 skipped');
  });

  it('name the five that took the longest, the longest first', () => {
    const timed = [30, 1000, 65_040, 2000, 3000, 4000].map((ms) => ({ title: `takes ${ms}`, ms }));
    assert.deepEqual(slowest(timed).map((line) => line.trim()), [
      '65.0 s  takes 65040', '4.0 s  takes 4000', '3.0 s  takes 3000', '2.0 s  takes 2000', '1.0 s  takes 1000',
    ]);
  });
});

import assert from 'node:assert/strict';
import { withTimeout } from '../../../src/famfs/with-timeout.ts';

const never = new Promise<string>(() => {});
const late = () => { throw new Error('late'); };

describe('withTimeout', () => {
  it('becomes what the promise becomes', async () => {
    assert.equal(await withTimeout(Promise.resolve('x'), 60_000, late), 'x');
    await assert.rejects(withTimeout(Promise.reject(new Error('failed')), 60_000, late), /failed/);
  });

  it('becomes what is said for the time when it is over', async () => {
    assert.equal(await withTimeout(never, 1, () => 'late'), 'late');
    await assert.rejects(withTimeout(never, 0, late), /late/);
    await assert.rejects(withTimeout(never, -5, late), /late/);
  });
});

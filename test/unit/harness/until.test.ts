import assert from 'node:assert/strict';
import { until, untilSo } from '../../support/until.ts';

describe('waiting', () => {
  it('ends with the first answer', async () => {
    assert.equal(await until((attempt) => {
      assert.equal(attempt, 3);
      return 'here';
    }), 'here');
    let asked = 0;
    assert.equal(await untilSo('the third', () => ++asked === 3 && asked), 3);
  });

  it('fails with what was thrown last', async () => {
    await assert.rejects(until((attempt) => Promise.reject(new Error(`no ${attempt > 0 ? 'more' : ''}`)), { limitMs: 5 }), /^Error: no more$/);
    await assert.rejects(untilSo('a thing', () => undefined, { limitMs: 5, everyMs: 1 }), { message: 'not seen in 0.005 s: a thing' });
    const refused = () => { throw new Error('refused'); };
    await assert.rejects(untilSo('a thing', refused, { limitMs: 5, everyMs: 1, describe: () => 'and so on' }), {
      message: 'not seen in 0.005 s: a thing: refused\nand so on',
    });
  });

  it('ends at once when it is hopeless, after one more look', async () => {
    let left = 2;
    const hopeless = () => (--left < 0 ? 'it has ended' : undefined);
    await assert.rejects(until(() => assert.fail('not there'), { hopeless }), { message: 'it has ended\nnot there' });
    assert.equal(await until(() => 'there', { hopeless }), 'there');
  });
});

import assert from 'node:assert/strict';
import { Restraint } from '../../../src/kube/message-throttle.ts';

describe('restraint in what is said of claims', () => {
  let now = 0;
  const make = () => {
    now = 0;
    return new Restraint(30, () => now);
  };

  it('says the first at once, and what is new no sooner than after a pause', () => {
    const restraint = make();
    const say = (at: number, text: string) => {
      now = at;
      restraint.begin();
      return restraint.moderate('claim', text);
    };
    assert.deepEqual([say(0, '3Gi free'), say(10, '2Gi free'), say(29, '1Gi free'), say(30, '1Gi free')], ['3Gi free', '3Gi free', '3Gi free', '1Gi free']);
    assert.equal(say(45, '0 free'), '1Gi free');
  });

  it('keeps claims apart, and forgets those that wait no longer', () => {
    const restraint = make();
    restraint.begin();
    assert.deepEqual([restraint.moderate('a', 'x'), restraint.moderate('b', 'y')], ['x', 'y']);
    restraint.begin();
    assert.equal(restraint.moderate('b', 'z'), 'y');
    restraint.begin();
    assert.deepEqual([restraint.moderate('a', 'z'), restraint.moderate('b', 'z')], ['z', 'y']);
  });
});

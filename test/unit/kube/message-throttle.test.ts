import assert from 'node:assert/strict';
import { MessageThrottle } from '../../../src/kube/message-throttle.ts';

describe('the throttle of messages about claims', () => {
  let now = 0;
  const make = () => {
    now = 0;
    return new MessageThrottle(30, () => now);
  };

  it('says the first at once, and what is new no sooner than after a pause', () => {
    const throttle = make();
    const say = (at: number, text: string) => {
      now = at;
      throttle.beginRound();
      return throttle.throttle('claim', text);
    };
    assert.deepEqual([say(0, '3Gi free'), say(10, '2Gi free'), say(29, '1Gi free'), say(30, '1Gi free')], ['3Gi free', '3Gi free', '3Gi free', '1Gi free']);
    assert.equal(say(45, '0 free'), '1Gi free');
  });

  it('keeps claims apart, and forgets those that wait no longer', () => {
    const throttle = make();
    throttle.beginRound();
    assert.deepEqual([throttle.throttle('a', 'x'), throttle.throttle('b', 'y')], ['x', 'y']);
    throttle.beginRound();
    assert.equal(throttle.throttle('b', 'z'), 'y');
    throttle.beginRound();
    assert.deepEqual([throttle.throttle('a', 'z'), throttle.throttle('b', 'z')], ['z', 'y']);
  });
});

import assert from 'node:assert/strict';
import type { V1Lease } from '@kubernetes/client-node';
import { LeaseObserver } from '../../../src/kube/lease-observer.ts';

describe('LeaseObserver', () => {
  let now: number;
  let observer: LeaseObserver;
  beforeEach(() => {
    now = 1_000_000;
    observer = new LeaseObserver({ identity: 'me', process: 'p' }, 8_000, () => now);
  });

  const lease = (resourceVersion: string, holderIdentity?: string, rest: object = {}, epochs = '{}'): V1Lease => ({
    metadata: { uid: 'u', resourceVersion, annotations: { 'famfs.io/epochs': epochs } },
    spec: { leaseDurationSeconds: 8, ...(holderIdentity === undefined ? {} : { holderIdentity }), ...rest },
  });

  it('takes at once what there is not, what was given back, and what its own pod holds', () => {
    assert.ok(observer.mayTake(undefined));
    assert.ok(observer.mayTake(lease('1')));
    assert.ok(observer.mayTake(lease('1', '')));
    assert.ok(observer.mayTake(lease('2', 'me')));
  });

  it('takes a record of another that has stood still for its duration, since it was first seen', () => {
    assert.ok(!observer.mayTake(lease('1', 'other')));
    now += 7_900;
    assert.ok(!observer.mayTake(lease('1', 'other')));
    now += 200;
    assert.ok(observer.mayTake(lease('1', 'other')));
  });

  it('waits anew after every change, whatever times the record tells', () => {
    const longAgo = { renewTime: new Date(0) };
    for (let k = 0; k < 5; k++, now += 7_000) assert.ok(!observer.mayTake(lease(String(k), 'other', longAgo)));
    assert.ok(!observer.mayTake({ ...lease('4', 'other'), metadata: { uid: 'another', resourceVersion: '4' } }));
  });

  it('waits no shorter than its own duration, and no longer than a minute', () => {
    assert.ok(!observer.mayTake(lease('1', 'other', { leaseDurationSeconds: -5 })));
    now += 7_000;
    assert.ok(!observer.mayTake(lease('1', 'other', { leaseDurationSeconds: -5 })));
    assert.ok(!observer.mayTake(lease('2', 'other', { leaseDurationSeconds: 1_000_000 })));
    now += 59_000;
    assert.ok(!observer.mayTake(lease('2', 'other', { leaseDurationSeconds: 1_000_000 })));
    now += 1_000;
    assert.ok(observer.mayTake(lease('2', 'other', { leaseDurationSeconds: 1_000_000 })));
  });

  it('waits for a lease that was deleted while it was held', () => {
    assert.ok(!observer.mayTake(lease('1', 'other')));
    now += 7_000;
    assert.ok(!observer.mayTake(undefined));
    now += 7_000;
    assert.ok(!observer.mayTake(undefined));
    now += 1_000;
    assert.ok(observer.mayTake(undefined));
  });

  it('remembers the highest epochs it has seen, and takes no nonsense for one', () => {
    observer.mayTake(lease('1', 'other', {}, '{"a": 4, "b": 2}'));
    observer.mayTake(lease('2', 'other', {}, '{"a": 3, "b": 5, "c": -1, "d": "9", "e": 1e300}'));
    for (const text of ['', 'null', '[]', '{', '"text"', '7']) observer.mayTake(lease('3', 'other', {}, text));
    observer.mayTake(undefined);
    assert.deepEqual([...observer.epochs], [['a', 4], ['b', 5]]);
  });
});

import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { Locks } from '../../../src/csi/locks.ts';

describe('Locks', () => {
  it('tells a second call for the same thing ABORTED, and lets others through', async () => {
    const locks = new Locks();
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = locks.run(['a', 'b'], () => promise);
    await assert.rejects(locks.run(['b'], () => 'second'), { code: status.ABORTED });
    assert.equal(await locks.run(['c'], () => 'other'), 'other');
    resolve('done');
    assert.equal(await first, 'done');
    assert.equal(await locks.run(['b'], () => 'again'), 'again');
  });

  it('is free again after a failure, and takes nothing when it can only take a part', async () => {
    const locks = new Locks();
    await assert.rejects(locks.run(['a'], () => { throw new Error('broken'); }), /broken/);
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = locks.run(['a'], () => promise);
    await assert.rejects(locks.run(['b', 'a'], () => undefined), { code: status.ABORTED });
    await locks.run(['b'], () => undefined);
    resolve();
    await first;
  });

  it('does not stand in its own way when keys are equal', async () => {
    assert.equal(await new Locks().run(['a', 'a'], () => 1), 1);
  });
});

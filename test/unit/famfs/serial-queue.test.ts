import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SerialQueue } from '../../../src/famfs/serial-queue.ts';

describe('SerialQueue', () => {
  it('runs work with one key in order, one at a time, and goes on after a failure', async () => {
    const queue = new SerialQueue();
    const seen: string[] = [];
    const work = (name: string, ms: number) => async () => {
      seen.push(`${name} begins`);
      await sleep(ms);
      seen.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const results = await Promise.allSettled([queue.run('k', work('a', 10)), queue.run('k', work('b', 1)), queue.run('k', work('c', 1))]);
    assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  });

  it('does not let work with one key wait for another', async () => {
    const queue = new SerialQueue();
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = queue.run('a', () => promise);
    assert.equal(await queue.run('b', async () => 'done'), 'done');
    resolve();
    await waiting;
  });
});

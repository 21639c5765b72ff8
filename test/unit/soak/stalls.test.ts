import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { status } from '@grpc/grpc-js';
import { Stalls } from '../../soak/stalls.ts';

const STALL_MS = 2000;

describe('a machine that stands still', () => {
  let stalls: Stalls;
  let now = 0;
  beforeEach(() => {
    mock.method(performance, 'now', () => now);
    stalls = new Stalls(STALL_MS);
  });
  afterEach(() => {
    stalls.close();
    mock.restoreAll();
  });

  /** This process gets no time. */
  const standStill = () => {
    now += STALL_MS + 500;
  };

  /** A call that fails at first, after some work. */
  const failing = (code: status, work = () => {}) => {
    let failed = false;
    return async () => {
      if (failed) return 'done';
      failed = true;
      work();
      throw Object.assign(new Error(status[code]), { code });
    };
  };

  it('excuses a call without an answer, which is made again', async () => {
    assert.equal(await stalls.repeat(failing(status.DEADLINE_EXCEEDED, standStill)), 'done');
    assert.deepEqual([stalls.count, stalls.repeated], [1, 1]);
  });

  it('excuses no other error', async () => {
    await assert.rejects(stalls.repeat(failing(status.INTERNAL, standStill)), /INTERNAL/);
  });

  it('is no excuse where it did not', async () => {
    await assert.rejects(stalls.repeat(failing(status.DEADLINE_EXCEEDED)), /DEADLINE_EXCEEDED/);
    assert.deepEqual([stalls.count, stalls.repeated], [0, 0]);
  });
});

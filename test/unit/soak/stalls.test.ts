import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { Stalls } from '../../soak/stalls.ts';

const STALL_MS = 2000;

/** This process gets no time. */
const standStill = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS + 500);

describe('a machine that stands still', () => {
  let stalls: Stalls;
  beforeEach(() => { stalls = new Stalls(STALL_MS); });
  afterEach(() => stalls.close());

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

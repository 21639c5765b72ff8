import assert from 'node:assert/strict';
import { openDevice } from '../../../../../src/famfs/device/open.ts';
import { FamfsError } from '../../../../../src/famfs/errors.ts';
import { entryOffset, LogHeader } from '../../../../../src/famfs/format/log-header.ts';
import { fsck } from '../../../../../src/famfs/fsck/fsck.ts';
import { sourceOf } from '../../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../../src/famfs/pool/pool.ts';
import { directory, newHost, newPool, openWriter } from '../../../../support/pools.ts';

const ENTRIES = 20;

/** A pool with some entries, one of which somebody wrote over; counters that say that the log ends before. */
async function broken(slot: number, counter: number): Promise<string> {
  const device = await newPool();
  const { writer, stop } = await openWriter(device);
  for (let k = 0; k < ENTRIES; k++) writer.create([directory(`d${k}`)]);
  stop();
  const mapped = openDevice(device);
  const log = mapped.log(LogHeader.minimumLogLength);
  log.store(entryOffset(slot) + 100, Buffer.from('not what the writer wrote'));
  for (const offset of [LogHeader.nextSeqnumOffset, LogHeader.nextIndexOffset]) log.store64(offset, BigInt(counter));
  mapped.close();
  return device;
}

describe('a broken entry in the middle of a log whose counters are too low', () => {
  for (const counter of [0, 5, 10]) {
    it(`is damage to fsck and to who would write, not the end of the log (next_index ${counter})`, async () => {
      const device = await broken(10, counter);
      const { status, problems } = fsck(device);
      assert.equal(status, 1);
      assert.ok(problems.some(({ severity, index }) => severity === 'damage' && index === 10), JSON.stringify(problems));
      for (const assumeStopped of [true, false]) {
        await assert.rejects(openWriter(device, newHost(), { assumeStopped, waitMs: 0 }),
          (error) => error instanceof FamfsError && error.code === 'DAMAGED' && error.message.includes('log entry 10: its CRC'));
      }
      const pool = Pool.open(sourceOf(device));
      assert.equal(pool.replayer.geometry.log.load32(entryOffset(ENTRIES - 1)), ENTRIES - 1, 'nothing was zeroed');
      pool.close();
    });
  }

  it('is the end of the log where only the rest of a batch stands behind it', async () => {
    const device = await broken(ENTRIES - 4, ENTRIES - 4);
    assert.equal(fsck(device).status, 0);
    const { pool, stop } = await openWriter(device, newHost(), { assumeStopped: true });
    assert.equal(pool.list('').length, ENTRIES - 4);
    stop();
  });
});

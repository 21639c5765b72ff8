import assert from 'node:assert/strict';
import { EntryLayout } from '../../../../src/famfs/format/entry-layout.ts';
import { entryOffset, LogHeader } from '../../../../src/famfs/format/log-header.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { PoolFixture } from '../../../support/pool-fixture.ts';

describe('the end of a log', () => {
  let pool: PoolFixture;

  beforeEach(async () => {
    pool = await PoolFixture.make(64 * 2 ** 20);
    pool.volume('a', 4096);
    pool.volume('b', 4096); // entries 2 and 3
  });

  afterEach(() => pool.close());

  /** What a fresh reader finds after a change of the log. */
  function found(change: (log: Buffer) => void): { end: number; problems: string[]; damaged: boolean } {
    const { memory } = pool.pool;
    change(pool.pool.replayer.geometry.log.bytes);
    const replayer = Replayer.create(memory);
    return { end: replayer.end, problems: replayer.problems.map(({ severity, place }) => `${severity}: ${place}`), damaged: replayer.damaged };
  }

  const cut = (log: Buffer) => void log.fill(0x5a, entryOffset(3) + EntryLayout.payload + 100, entryOffset(4));
  const count = (entries: number) => (log: Buffer) => {
    for (const counter of [LogHeader.nextSeqnumOffset, LogHeader.nextIndexOffset]) log.writeBigUInt64LE(BigInt(entries), counter);
  };

  it('is in order where the counter names the first free slot', () => {
    assert.deepEqual(found(() => {}), { end: 4, problems: [], damaged: false });
  });

  it('is in order where an entry is torn that the counter does not count yet', () => {
    assert.deepEqual(found((log) => (count(3)(log), cut(log))), { end: 3, problems: [], damaged: false });
  });

  it('is damaged where an entry is corrupt that the counter counts', () => {
    assert.deepEqual(found(cut), { end: 3, problems: ['damage: log entry'], damaged: true });
  });

  it('lies behind the last valid entry where the counter was not stored any more', () => {
    assert.deepEqual(found(count(2)), { end: 4, problems: ['note: log header'], damaged: false });
  });

  it('is damaged where the counter names more slots than there are', () => {
    assert.deepEqual(found(count(2 ** 40)), { end: 4, problems: ['damage: log header', 'damage: log entry'], damaged: true });
  });
});

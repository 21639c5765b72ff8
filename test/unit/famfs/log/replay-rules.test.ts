import assert from 'node:assert/strict';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { nextWord } from '../../../../src/famfs/format/state-word.ts';
import { SmallPool, UNIT } from '../../../support/small-pool.ts';

describe('replay', () => {
  it('refuses a file below a directory that is not there, though the one above was made last', () => {
    const pool = new SmallPool(8);
    pool.directory('a');
    const index = pool.file('a/b/file', [0, 1]);
    const replayer = Replayer.create(pool.device);
    assert.deepEqual(replayer.problems.map(({ index, reason }) => [index, reason]), [[index, 'its directory does not exist']]);
    assert.equal(replayer.view.resolve('a/file'), 0);
  });

  it('tells the free memory rightly when the superblock tells a smaller device than its files need', () => {
    const pool = new SmallPool(8, 8);
    pool.file('low', [0, 1]);
    const high = pool.file('high', [5, 2]);
    pool.device.superblock.store64(112, BigInt(pool.dataStart + 4 * UNIT));
    const usage = () => Replayer.create(pool.device).view.usage();
    assert.equal(usage().freeBytes, 3 * UNIT);
    pool.setWord(high, nextWord(pool.word(high), 'quarantined')!);
    assert.equal(usage().freeBytes, 3 * UNIT);
    assert(usage().usedBytes >= 0);
  });
});

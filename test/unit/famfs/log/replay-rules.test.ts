import assert from 'node:assert/strict';
import { nextWord } from '../../../../src/famfs/format/state-word.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
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

  it('forgets a refused entry that has been voided since, as a fresh replay would', () => {
    const pool = new SmallPool(8);
    pool.file('one', [0, 2]);
    const other = pool.file('other', [1, 2]);
    const replayer = Replayer.create(pool.device);
    assert.equal(replayer.problems.length, 1);
    pool.setWord(other, nextWord(pool.word(other), 'void')!);
    assert.equal(replayer.catchUp().rebuilt, true);
    assert.deepEqual(replayer.problems, []);
    assert.equal(replayer.view.usage().freeBytes, 62 * UNIT);
  });

  it('reports a state word that nobody writes once, however often it changes', () => {
    const pool = new SmallPool(8);
    const file = pool.file('one', [0, 2]);
    const replayer = Replayer.create(pool.device);
    for (const word of [5n, 6n, 7n]) {
      pool.setWord(file, word);
      replayer.catchUp();
    }
    assert.deepEqual(replayer.problems.map(({ index, severity }) => [index, severity]), [[file, 'damage']]);
    assert.notEqual(replayer.view.resolve('one'), 0, 'it is served on');
  });

  it('skips guarded slots, in whatever order the list names them', () => {
    const pool = new SmallPool(20);
    pool.file('first', [0, 1]);
    const ranges = [[5, 4], [1, 4]];
    pool.claim(1, ranges.map(([first, count]) => ({ first, count })));
    pool.next = 9;
    pool.file('last', [1, 1]);
    const replayer = Replayer.create(pool.device);
    assert.equal(replayer.end, 10);
    assert.equal(replayer.view.resolve('last'), 11);
  });
});

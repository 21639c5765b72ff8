import assert from 'node:assert/strict';
import { stateOffset } from '../../../../src/famfs/format/log-header.ts';
import { nextWord, StateWord } from '../../../../src/famfs/format/state-word.ts';
import { nodeOf } from '../../../../src/famfs/index/index-store.ts';
import { describeProblem } from '../../../../src/famfs/log/problem.ts';
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
    replayer.catchUp();
    assert.deepEqual(replayer.problems, []);
    assert.equal(replayer.view.usage().freeBytes, 62 * UNIT);
  });

  it('reads a log with rejects anew only when what was in the way of one of them goes', () => {
    const pool = new SmallPool(8);
    const [rival, bystander] = [pool.file('one', [0, 2]), pool.file('bystander', [9, 1])];
    pool.file('other', [1, 2]);
    const replayer = Replayer.create(pool.device);
    const remove = (index: number) => {
      pool.setWord(index, nextWord(pool.word(index), 'quarantined')!);
      return replayer.catchUp().rebuilt;
    };
    assert.equal(remove(bystander), false);
    assert.equal(replayer.view.resolve('other'), 0);
    assert.equal(remove(rival), true);
    assert.notEqual(replayer.view.resolve('other'), 0, 'it came to life');
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

  it('counts a log with too many rejects as damaged, with nothing free, and reads on; until they are fewer', () => {
    const pool = new SmallPool(12);
    pool.file('one', [0, 1]);
    const rejects = [1, 2, 3].map((unit) => pool.file('one', [unit, 1]));
    pool.file('behind', [9, 1]);
    const follower = Replayer.create(pool.device, { rejectsMax: 2 });
    for (const replayer of [follower, Replayer.create(pool.device, { rejectsMax: 2 })]) {
      assert.equal(replayer.damaged, true);
      assert.match(describeProblem(replayer.problems.at(-1)!), /^log: more than 2 entries are refused/);
      assert.equal(replayer.view.usage().freeBytes, 0);
      assert.deepEqual(replayer.freeRuns(replayer.geometry.allocatable), []);
      assert.notEqual(replayer.view.resolve('behind'), 0);
    }
    pool.setWord(rejects[1], nextWord(pool.word(rejects[1]), 'void')!);
    follower.catchUp();
    for (const replayer of [follower, Replayer.create(pool.device, { rejectsMax: 2 })]) {
      assert.equal(replayer.damaged, false);
      assert.equal(replayer.view.usage().freeBytes, 60 * UNIT);
    }
  });

  it('lets readers in while it applies many entries, or many deletions', () => {
    const entries = 20_000;
    const pool = new SmallPool(entries, entries);
    const replayer = Replayer.create(pool.device);
    const sequence = () => new Int32Array(replayer.handle.shared, 0, 1)[0];
    const changesOf = (work: () => void) => {
      const before = sequence();
      work();
      replayer.catchUp();
      return (sequence() - before) / 2;
    };
    const looks = changesOf(() => {});
    assert(changesOf(() => { for (let k = 0; k < entries; k++) pool.file(`f${k}`, [k, 1]); }) >= looks + 4);
    assert(changesOf(() => {
      for (let k = 0; k < entries; k++) pool.log.store64(stateOffset(k), StateWord.quarantined);
      pool.change();
    }) >= looks + 4);
  });

  it('pauses after a fresh replay that took long, where it is to, and makes up for it', () => {
    const pool = new SmallPool(8);
    for (const name of ['one', 'two']) for (const unit of [0, 1]) pool.file(name, [2 * pool.next + unit, 1]);
    const now = performance.now;
    let time = 0;
    performance.now = () => (time += 100); // what takes any time takes long
    try {
      const replayer = Replayer.create(pool.device, { pauseAfterMs: 20 });
      const remove = (index: number) => pool.setWord(index, nextWord(pool.word(index), 'quarantined')!);
      remove(0);
      assert.equal(replayer.catchUp().rebuilt, true);
      remove(2);
      time -= 150;
      assert.equal(replayer.catchUp().rebuilt, false);
      assert.equal(replayer.view.resolve('two'), 0, 'what was deleted is gone all the same');
      assert.equal(replayer.catchUp().rebuilt, true);
      assert.equal(replayer.view.resolve('two'), nodeOf(3));
    } finally {
      performance.now = now;
    }
  });

  it('names the first problems of each kind, and counts all of them', () => {
    const pool = new SmallPool(100);
    pool.file('one', [0, 1]);
    for (let k = 0; k < 40; k++) pool.file('one', [k + 1, 1]);
    for (let k = 0; k < 20; k++) pool.put(99, { kind: 'unknown', payload: Buffer.alloc(520) });
    const replayer = Replayer.create(pool.device);
    const texts = replayer.problems.map(describeProblem);
    assert.equal(replayer.problemCount, 40);
    assert.equal(texts.length, 34);
    assert.equal(texts[0], 'log entry 1 ("one"): entry 0 has that path already');
    assert.deepEqual(texts.slice(-2), ['log: 24 more entries are refused', 'log: 4 more entries mean nothing']);
  });

  it('takes a reject whose state word nobody writes for damage, and forgets that when it is right again', () => {
    const pool = new SmallPool(8);
    pool.file('one', [0, 2]);
    const other = pool.file('other', [1, 2]);
    const replayer = Replayer.create(pool.device);
    pool.setWord(other, 5n);
    replayer.catchUp();
    assert.deepEqual(replayer.problems.map(({ index, severity }) => [index, severity]), [[other, 'reject'], [other, 'damage']]);
    assert.equal(replayer.view.usage().freeBytes, 61 * UNIT);
    pool.setWord(other, 0n);
    replayer.catchUp();
    assert.deepEqual(replayer.problems.map(({ severity }) => severity), ['reject']);
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

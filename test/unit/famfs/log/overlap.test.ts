/** Rule R2: what a file over the memory of a deleted one says about that one, to readers that followed and to fresh ones. */
import assert from 'node:assert/strict';
import { stateOffset } from '../../../../src/famfs/format/log-header.ts';
import { StateWord } from '../../../../src/famfs/format/state-word.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { agree } from '../../../fuzz/agree.ts';
import { SmallPool, UNIT } from '../../../support/small-pool.ts';

const UNITS = 16;

/** A pool, a reader that follows its log, and what all readers must say. */
class Scene {
  readonly pool = new SmallPool(16, UNITS);
  readonly follower = Replayer.create(this.pool.device);

  /** The quarantined and free units, of which the follower, a fresh reader and the oracle say the same. */
  units(): { quarantined: number; free: number } {
    this.follower.catchUp();
    agree(this.pool.device, this.follower);
    agree(this.pool.device);
    const { quarantinedBytes, freeBytes } = this.follower.view.usage();
    return { quarantined: quarantinedBytes / UNIT, free: freeBytes / UNIT };
  }

  to(index: number, word: bigint): void {
    this.pool.setWord(index, word);
  }
}

describe('a file over the memory of a quarantined one', () => {
  it('proves that one void while it is live or quarantined, and no longer when it is void', () => {
    const scene = new Scene();
    const { pool } = scene;
    const early = pool.file('early', [0, 4]);
    scene.to(early, StateWord.quarantined);
    assert.deepEqual(scene.units(), { quarantined: 4, free: 12 });
    const later = pool.file('later', [3, 2]);
    assert.deepEqual(scene.units(), { quarantined: 0, free: 14 });
    scene.to(later, StateWord.quarantined);
    assert.deepEqual(scene.units(), { quarantined: 2, free: 14 });
    scene.to(later, StateWord.voidFile);
    assert.deepEqual(scene.units(), { quarantined: 4, free: 12 });
    scene.to(early, StateWord.voidFile);
    assert.deepEqual(scene.units(), { quarantined: 0, free: 16 });
  });

  it('proves nothing where it is refused, be it for other memory or for its path', () => {
    const scene = new Scene();
    const { pool } = scene;
    const early = pool.file('early', [0, 4]);
    pool.file('live', [8, 1]);
    scene.to(early, StateWord.quarantined);
    pool.file('other', [0, 1], [8, 1]);
    pool.file('live', [1, 1]);
    pool.file('twice', [2, 1], [2, 1]);
    // Their memory counts as allocated; all of it is quarantined, or that of the live one.
    assert.deepEqual(scene.units(), { quarantined: 4, free: 11 });
  });

  it('is one of several that do: each of them is enough', () => {
    const scene = new Scene();
    const { pool } = scene;
    const early = pool.file('early', [0, 4]);
    scene.to(early, StateWord.quarantined);
    const [one, other] = [pool.file('one', [0, 1]), pool.file('other', [3, 1])];
    scene.to(one, StateWord.voidFile);
    assert.deepEqual(scene.units(), { quarantined: 0, free: 15 });
    scene.to(other, StateWord.voidFile);
    assert.deepEqual(scene.units(), { quarantined: 4, free: 12 });
  });

  it('proves nothing when it was made void before the other one was deleted, however late that is seen', () => {
    const pool = new SmallPool(16, UNITS);
    const early = pool.file('early', [0, 4]);
    const refused = pool.file('refused', [0, 1]);
    // What a writer does between two loads of a replay: the entry that would be refused goes before the file does.
    const { log } = pool;
    const load = log.load64.bind(log);
    let done = false;
    log.load64 = (offset) => {
      if (offset === stateOffset(early) && !done) {
        done = true;
        pool.setWord(refused, StateWord.voidFile);
        pool.setWord(early, StateWord.quarantined);
      }
      return load(offset);
    };
    const replayer = Replayer.create(pool.device);
    log.load64 = load;
    assert(done);
    assert.equal(replayer.view.usage().quarantinedBytes, 4 * UNIT);
    assert.equal(replayer.view.resolve('refused'), 0);
    agree(pool.device, replayer);
  });
});

describe('a file that is set back from void to quarantined', () => {
  it('is quarantined for those who come now and for those who were there, unless its memory is used', () => {
    const scene = new Scene();
    const { pool } = scene;
    const [first, second] = [pool.file('first', [0, 2]), pool.file('second', [2, 2])];
    for (const word of [StateWord.quarantined, StateWord.voidFile]) for (const index of [first, second]) scene.to(index, word);
    pool.file('later', [3, 1]);
    assert.deepEqual(scene.units(), { quarantined: 0, free: 15 });
    for (const index of [first, second]) scene.to(index, StateWord.quarantined);
    assert.deepEqual(scene.units(), { quarantined: 2, free: 13 });
    scene.to(first, StateWord.voidFile);
    assert.deepEqual(scene.units(), { quarantined: 0, free: 15 });
  });
});

describe('a quarantined entry whose memory a live one before it has', () => {
  it('is refused as a live one would be, and proves nothing when that one goes', () => {
    const scene = new Scene();
    const { pool } = scene;
    const early = pool.file('early', [0, 2]);
    const refused = pool.file('refused', [1, 2]);
    scene.to(refused, StateWord.quarantined);
    assert.deepEqual(scene.units(), { quarantined: 0, free: 13 });
    assert.deepEqual(scene.follower.problems.map(({ index, path, severity }) => [index, path, severity]), [[refused, undefined, 'reject']]);
    scene.to(refused, StateWord.voidFile);
    scene.to(early, StateWord.quarantined);
    assert.deepEqual(scene.units(), { quarantined: 2, free: 14 });
  });
});

import assert from 'node:assert/strict';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { guardListProblem, hiddenEntries } from '../../../../src/famfs/log/guards.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { forgeClaim } from '../../../support/forged-claim.ts';
import { file, newPool, openWriter } from '../../../support/pools.ts';
import { rejects } from '../../../support/rejects.ts';
import { SmallPool } from '../../../support/small-pool.ts';

describe('a list of guards', () => {
  const CAPACITY = 20_000;
  const unsound: [string, { first: number; count: number }[], RegExp][] = [
    ['over the whole log, as one range', [{ first: 0, count: 2 ** 32 - 1 }], /4294967295 slots.*no multiple of 4/],
    ['of slots that the log does not have', [{ first: CAPACITY - 2, count: 4 }], /up to 20002; the log has 20000/],
    ['of part of a guard', [{ first: 8, count: 6 }], /6 slots from 8 on/],
    ['of nothing', [{ first: 8, count: 0 }], /0 slots/],
    ['that names a slot twice', [{ first: 100, count: 8 }, { first: 96, count: 8 }], /slot 100 twice/],
    ['of more slots than take-overs can ever guard', [{ first: 0, count: 4096 }, { first: 5000, count: 4 }], /4100 slots; at most 4096/],
  ];
  for (const [what, guards, text] of unsound) {
    it(`is not believed ${what}`, () => assert.match(guardListProblem(guards, CAPACITY)!, text));
  }

  it('is believed in any order, up to 4096 slots', () => {
    assert.equal(guardListProblem([{ first: 5000, count: 4 }, { first: 0, count: 4092 }], CAPACITY), undefined);
  });

  it('that was forged opens nothing to a new reader, and takes nothing from one that follows', () => {
    const pool = new SmallPool(40);
    for (const path of ['a', 'b', 'c']) pool.directory(path);
    const following = Replayer.create(pool.device);
    pool.claim(1, []);
    assert.deepEqual(following.catchUp(), { added: [], removed: [], rebuilt: false });
    pool.claim(2, [{ first: 0, count: 2 ** 32 - 1 }]);
    assert.deepEqual(following.catchUp(), { added: [], removed: [], rebuilt: false });
    assert.equal(following.view.usage().directories, 4, 'the root too');
    assert.ok(following.damaged);
    assert.throws(() => Replayer.create(pool.device), { code: 'DAMAGED', message: /claim: no writer has made the list of epoch 2: .*reset-claim/ });
    pool.claim(2, []);
    following.catchUp();
    assert.equal(following.damaged, false);
  });

  it('that hides more than late writers can have stored takes nothing from one that follows', () => {
    const pool = new SmallPool(40);
    for (let k = 0; k < 9; k++) pool.directory(`d${k}`);
    pool.claim(1, []);
    const following = Replayer.create(pool.device);
    pool.claim(2, [{ first: 0, count: 12 }]);
    assert.deepEqual(following.catchUp(), { added: [], removed: [], rebuilt: false });
    assert.match(following.problems.find(({ severity }) => severity === 'damage')!.reason, /epoch 2: it hides 9 live entries.* stored 8 at most/);
    assert.throws(() => Replayer.create(pool.device), { code: 'DAMAGED' });
    pool.claim(2, [{ first: 9, count: 20 }]);
    following.catchUp();
    assert.match(following.problems.find(({ severity }) => severity === 'damage')!.reason, /it guards 20 slots without a guard.* left 12 at most/);
    pool.claim(2, []);
    following.catchUp();
    assert.deepEqual([following.damaged, following.view.usage().directories], [false, 10]);
  });

  it('over the slots behind the last entry that goes away again keeps nobody from following', () => {
    const pool = new SmallPool(40);
    pool.directory('a');
    pool.claim(1, []);
    const following = Replayer.create(pool.device);
    pool.claim(2, [{ first: 1, count: 8 }]);
    following.catchUp();
    assert.deepEqual([following.end, following.damaged], [9, false]);
    pool.claim(2, []);
    pool.directory('b');
    following.catchUp();
    assert.deepEqual([following.end, following.damaged, following.view.usage().directories], [2, false, 3]);
  });

  it('of a range behind the end of the log is damage to who has read it, and hides nothing', () => {
    const pool = new SmallPool(40);
    pool.directory('a');
    pool.claim(1, [{ first: 9, count: 4 }]);
    const replayer = Replayer.create(pool.device);
    assert.equal(replayer.view.usage().directories, 2);
    assert.match(replayer.problems.find(({ severity }) => severity === 'damage')!.reason, /guards 4 slots from 9 on; the log ends at 1/);
  });

  it('that hides live entries is told by fsck, with their paths', () => {
    const pool = new SmallPool(40);
    for (const path of ['a', 'b', 'c', 'd', 'e']) pool.directory(path);
    pool.claim(1, [{ first: 0, count: 4 }]);
    const { geometry, list } = Replayer.create(pool.device);
    const hidden = hiddenEntries(geometry, list);
    assert.deepEqual(hidden.map(({ index, path }) => [index, path]), [[0, 'a'], [1, 'b'], [2, 'c'], [3, 'd']]);
  });
});

describe('a writer before a forged list of guards', () => {
  it('stores nothing, whatever the list is', async () => {
    for (const guards of [[{ first: 0, count: 2 ** 32 - 1 }], [{ first: 0, count: 16 }], [{ first: 400, count: 4 }]]) {
      const device = await newPool();
      const host = await openWriter(device);
      for (let k = 0; k < 10; k++) host.writer.create([file(`f${k}`)]);
      for (let k = 10; k < 14; k++) host.writer.create([{ kind: 'directory', path: `d${k}`, mode: 0o755, uid: 0, gid: 0 }, { kind: 'directory', path: `e${k}`, mode: 0o755, uid: 0, gid: 0 }]);
      host.stop();
      const before = forgeClaim(device, 5, guards);
      await rejects(openWriter(device), 'DAMAGED', /guard|hides/);
      assert.ok(before.isUnchangedButForClaims());
      const { status, failure, problems } = fsck(device);
      assert.equal(status, 1);
      if (failure === undefined) assert.ok(problems.some(({ reason }) => /hidden by the list|guards 4 slots/.test(reason)));
    }
  });
});

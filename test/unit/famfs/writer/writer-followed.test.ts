import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { mkfs } from '../../../../src/famfs/mkfs/mkfs.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { PoolWriter } from '../../../../src/famfs/writer/writer.ts';
import { Random } from '../../../fuzz/random.ts';
import { oracleTree, problemKey, readTree, treeSum } from '../../../fuzz/tree.ts';
import { remove, shmFile, tempDir } from '../../../harness/temp.ts';
import { oracle } from '../../../oracle/replay.ts';
import { fileOver, forge } from '../../../support/forged.ts';

const UNIT = 0x200000;
const DATA = 10 * 2 ** 20;
const owner = { uid: 1, gid: 2 };

const fileBody = (path: string, first: number, count: number) => fileOver(path, [{ offset: DATA + first * UNIT, length: count * UNIT }]);

/** Compares a reader that followed, a reader that just came, and the oracle; and the writer, which keeps its own view current. */
function compare(follower: Pool, ofWriter?: Pool): void {
  follower.refresh();
  const { memory, replayer } = follower;
  const fresh = Replayer.create(memory);
  const [superblock, log] = [memory.superblock.bytes, replayer.geometry.log.bytes];
  const says = oracle({ superblock, log, deviceSize: memory.devices[0].size });
  assert(!('refused' in says));
  const sum = treeSum(oracleTree(says.nodes));
  for (const one of [replayer, fresh, ...(ofWriter === undefined ? [] : [ofWriter.replayer])]) {
    assert.equal(one.end, says.end);
    assert.equal(problemKey(one.problems), problemKey(says.problems));
    assert.equal(treeSum(readTree(one.view, says.end, true)), sum);
    const { freeBytes, quarantinedBytes } = one.view.usage();
    assert.deepEqual([freeBytes, quarantinedBytes], [says.freeBytes, says.quarantinedBytes]);
  }
}

describe('what a writer does, as readers see it', () => {
  it('is the same for one that followed, for one that just came, and for the oracle', async () => {
    const path = shmFile('followed');
    const identity = { clusterUuid: randomUUID(), hostId: 'here', hostDirectory: tempDir('followed') };
    await mkfs(path, { clusterUuid: identity.clusterUuid, simulate: DATA + 64 * UNIT });
    const pool = Pool.open(sourceOf(path), { writable: true });
    const follower = Pool.open(sourceOf(path));
    try {
      // Before any writer of ours: a file, and what collides with it in memory, in path, in both.
      const first = [fileBody('old', 0, 4), fileBody('over', 2, 4), fileBody('old', 8, 2), fileBody('old', 3, 1)];
      first.forEach((body, index) => forge(pool, index, 0, body));
      forge(pool, 4, 1, { kind: 'directory', path: 'old', mode: 0o755, ...owner, spare: Buffer.alloc(428) });
      compare(follower);
      pool.refresh();
      const writer = await PoolWriter.acquire(pool, { identity });
      compare(follower);
      const random = new Random(3);
      const names = ['a', 'b', 'a/x', 'a/y', 'b/x', 'c'];
      for (let step = 0; step < 150; step++) {
        const name = random.pick(names);
        const there = pool.stat(name);
        const parent = name.includes('/') ? pool.stat(name.slice(0, 1)) : pool.stat('');
        if (there && (there.kind === 'file' || pool.list(name).length === 0)) writer.remove(name, { looksAtAll: random.chance(2) });
        else if (!there && parent?.kind === 'directory') {
          const made = { path: name, mode: 0o700, ...owner };
          const isFile = name.includes('/') || random.chance(4);
          if (!isFile) writer.create([{ kind: 'directory', ...made }]);
          else if (pool.usage().freeBytes > 0) writer.create([{ kind: 'file', size: 1 + random.below(UNIT), ...made }]);
        }
        if (step === 75) {
          // The three that were refused for it must not come to life when it goes.
          assert.throws(() => writer.remove('old'), { code: 'ALIASED', message: /"over", log entry 1/ });
          compare(follower);
          const gone = writer.remove('old', { force: true }).map(({ index }) => index);
          assert.deepEqual(gone, [1]);
          assert.equal(pool.stat('over'), undefined);
          assert.equal(pool.stat('old'), undefined);
        }
        if (random.chance(2)) compare(follower, pool);
      }
      writer.close();
      compare(follower);
    } finally {
      follower.close();
      pool.close();
      remove(path);
    }
  });
});

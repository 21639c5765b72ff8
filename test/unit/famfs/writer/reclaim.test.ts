import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { entryOffset, stateOffset } from '../../../../src/famfs/format/log-header.ts';
import { EntryType, StateWord } from '../../../../src/famfs/format/state-word.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { Status } from '../../../../src/famfs/index/index-store.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { Reclaim } from '../../../../src/famfs/writer/reclaim.ts';
import { fileOver, forge } from '../../../support/forged.ts';
import { heartbeats } from '../../../support/heartbeats.ts';
import { bytesAt, fillRanges } from '../../../support/memory-bytes.ts';
import { AU, directory, file, newHost, newPool, type OpenWriter, openWriter } from '../../../support/pools.ts';

/** No member has the pool mounted. */
const nobody = () => Promise.resolve(undefined);
const never = new AbortController().signal;
const STEP = MIB / 2;

const reclaimOf = ({ writer }: OpenWriter, signal = never, rate = Infinity) => new Reclaim({ writer, rate, signal });

/** Makes a file full of ones. */
function filled({ writer, pool }: OpenWriter, path: string, size = AU): number {
  const [{ node }] = writer.create([file(path, size)]);
  fillRanges(pool.memory, pool.view.ranges(node, 0, size), 0xff);
  return node - 2;
}

const memoryIsZero = (pool: Pool, index: number) =>
  pool.view.extents(index + 2).every((extent) => bytesAt(pool.memory, extent).every((byte) => byte === 0));

describe('memory of a deleted file', () => {
  const { until } = heartbeats();
  let device: string;
  let host: OpenWriter;

  beforeEach(async () => {
    device = await newPool(4);
    host = await openWriter(device);
  });
  afterEach(() => {
    host.stop();
    assert.equal(fsck(device).status, 0);
  });

  it('comes back as zeros, with its slot spent', async () => {
    const index = filled(host, 'a', 3 * AU);
    const before = host.pool.usage();
    host.writer.remove('a');
    assert.equal(host.pool.usage().freeBytes, AU);
    assert.throws(() => host.writer.create([file('b', 2 * AU)]), { code: 'NO_SPACE' });
    assert.equal(await reclaimOf(host).run(nobody), 3 * AU);
    assert.equal(host.pool.view.statusAt(index), Status.Void);
    assert.ok(memoryIsZero(host.pool, index));
    const { freeBytes, quarantinedBytes, slotsFree } = host.pool.usage();
    assert.deepEqual({ freeBytes, quarantinedBytes, slotsFree }, { freeBytes: 4 * AU, quarantinedBytes: 0, slotsFree: before.slotsFree });
    host.writer.create([file('b', 4 * AU)]);
    assert.equal(await reclaimOf(host).run(nobody), 0);
  });

  it('waits for the member that has acknowledged least', async () => {
    filled(host, 'a');
    filled(host, 'b');
    host.writer.remove('a');
    const [{ target }] = host.writer.quarantined;
    host.writer.remove('b');
    assert.equal(await reclaimOf(host).run(async () => target - 1n), 0);
    assert.equal(await reclaimOf(host).run(async () => target), AU);
    assert.deepEqual(host.writer.quarantined.map(({ bytes }) => bytes), [AU]);
    assert.equal(await reclaimOf(host).run(async () => target), 0);
  });

  it('counts as deleted for members that join after the question', async () => {
    filled(host, 'a');
    host.writer.remove('a');
    const run = reclaimOf(host).run(async () => {
      filled(host, 'b');
      host.writer.remove('b'); // a member that has joined meanwhile may know it alive
      return undefined;
    });
    assert.equal(await run, AU);
    assert.equal(host.writer.quarantined.length, 1);
  });

  it('stays in quarantine when its scrub is given up in the middle, and is zeroed later', async () => {
    const index = filled(host, 'a');
    host.writer.remove('a');
    const ending = new AbortController();
    const reclaim = reclaimOf(host, ending.signal, 4 * MIB);
    const run = reclaim.run(nobody);
    await until(() => (reclaim.progress?.done ?? 0) > 0);
    assert.equal(host.pool.replayer.ring.ruling()!.scrubbing, BigInt(index + 1));
    ending.abort();
    assert.equal(await run, 0);
    assert.equal(host.pool.replayer.ring.ruling()!.scrubbing, 0n);
    assert.equal(host.pool.view.statusAt(index), Status.Quarantined);
    assert.equal(await reclaimOf(host).run(nobody), AU);
    assert.ok(memoryIsZero(host.pool, index));
  });

  it('comes back while files are made and deleted', async () => {
    const index = filled(host, 'a', 2 * AU);
    host.writer.remove('a');
    const scrub = host.writer.reclaim(index, STEP);
    await scrub.next();
    filled(host, 'b');
    await scrub.next();
    host.writer.remove('b');
    assert.ok((await Array.fromAsync(scrub)).length > 0);
    assert.equal(await reclaimOf(host).run(nobody), AU);
    assert.equal(host.pool.usage().freeBytes, 4 * AU);
  });

  it('stays where it is while the log names other memory than it did, and that is said', async () => {
    const index = filled(host, 'a');
    filled(host, 'b');
    host.writer.remove('a');
    host.writer.remove('b');
    const { log } = host.pool.replayer.geometry;
    const at = entryOffset(index) + 160; // in the payload
    const word = log.load64(at);
    log.store64(at, word ^ 1n);
    await assert.rejects(reclaimOf(host).run(nobody), { code: 'DAMAGED', message: /log entry 0 was written over/ });
    assert.deepEqual(host.writer.quarantined.map((entry) => entry.index), [index], 'the other one is given back');
    assert.ok(!memoryIsZero(host.pool, index));
    log.store64(at, word);
    assert.equal(await reclaimOf(host).run(nobody), AU);
  });

  it('is nobody else\'s while it is zeroed, though a late writer says that it is void', async () => {
    const late = host;
    const index = filled(late, 'a', 2 * AU);
    late.writer.remove('a');
    host = await openWriter(device, newHost(), { waitMs: 1, silentSince: () => 0 });
    const scrub = host.writer.reclaim(index, STEP);
    await scrub.next();
    host.pool.replayer.geometry.log.store64(stateOffset(index), StateWord.voidFile);
    await until(() => host.pool.view.statusAt(index) === Status.Void);
    assert.throws(() => host.writer.create([file('b', 4 * AU)]), { code: 'NO_SPACE' });
    assert.ok((await Array.fromAsync(scrub)).length > 0);
    host.writer.create([file('b', 2 * AU), file('c', 2 * AU)]);
    assert.throws(() => host.writer.create([file('d', AU)]), { code: 'NO_SPACE' });
    late.stop();
  });

  it('comes back only when it was acknowledged itself, though another program\'s file in it has come and gone', async () => {
    const index = filled(host, 'a', 3 * AU);
    host.writer.remove('a');
    const [{ start }] = host.pool.view.extents(index + 2);
    forge(host.pool, index + 1, EntryType.File, fileOver('theirs', [{ offset: start, length: AU }]));
    host.stop();
    host = await openWriter(device);
    const units = (pool: Pool) => [pool.usage().freeBytes / AU, pool.usage().quarantinedBytes / AU];
    const fresh = () => {
      const pool = Pool.open(sourceOf(device), { writable: false });
      try {
        return units(pool);
      } finally {
        pool.close();
      }
    };
    assert.deepEqual(units(host.pool), [3, 0], 'while there is a file over it, it counts as void');
    host.writer.remove('theirs');
    assert.equal(await reclaimOf(host).run(nobody), AU);
    assert.deepEqual([units(host.pool), fresh()], [[1, 3], [1, 3]]);
    assert.throws(() => host.writer.create([file('b', 2 * AU)]), { code: 'NO_SPACE' });
    const [{ index: again, target }] = host.writer.quarantined;
    assert.equal(again, index);
    assert.equal(await reclaimOf(host).run(async () => target - 1n), 0);
    assert.equal(await reclaimOf(host).run(async () => target), 3 * AU);
    assert.deepEqual([units(host.pool), fresh()], [[4, 0], [4, 0]]);
    assert.ok(memoryIsZero(host.pool, index));
    host.writer.create([file('b', 4 * AU)]);
  });

  it('is left when its writer is closed, which counts as closed only when it stores nothing any more', async () => {
    const index = filled(host, 'a');
    host.writer.remove('a');
    const step = host.writer.reclaim(index, AU).next();
    host.writer.close();
    const closed = () => host.pool.replayer.ring.ruling()!.closed;
    assert.equal(closed(), false);
    await assert.rejects(step, { code: 'CLAIM_LOST' });
    assert.equal(closed(), true);
    host.stop();
    host = await openWriter(device, newHost()); // does not wait: it finds the claim closed
    assert.equal(await reclaimOf(host).run(nobody), AU);
  });

  it('stays mapped until it is zeroed, though the pool is closed', async () => {
    const index = filled(host, 'a');
    host.writer.remove('a');
    const step = host.writer.reclaim(index, AU).next();
    host.stop();
    const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('\n').filter((line) => line.endsWith(device)).length;
    assert.equal(mappings(), 1);
    await assert.rejects(step, { code: 'CLAIM_LOST' });
    assert.equal(mappings(), 0);
    host = await openWriter(device, newHost(), { assumeStopped: true });
    assert.equal(await reclaimOf(host).run(nobody), AU);
  });

  it('is taken up by the next writer where the last one died', async () => {
    const index = filled(host, 'a');
    host.writer.remove('a');
    await host.writer.reclaim(index, STEP).next();
    const next = await openWriter(device, newHost(), { assumeStopped: true });
    assert.equal(await reclaimOf(next).run(nobody), AU);
    assert.ok(memoryIsZero(next.pool, index));
    await assert.rejects(reclaimOf(host).run(nobody), /CLAIM_LOST|lost the pool|being scrubbed/);
    next.stop();
  });

  it('is left alone while a former writer may be zeroing it, void or not, until that one has ended', async () => {
    const index = filled(host, 'a');
    host.writer.remove('a');
    const scrub = host.writer.reclaim(index, STEP);
    await scrub.next();
    const next = await openWriter(device, newHost(), { waitMs: 1, silentSince: () => 0 });
    assert.deepEqual(next.writer.quarantined, []);
    assert.equal(next.writer.predecessors.abandonedBytes, AU);
    assert.deepEqual(next.writer.predecessors.maybeRunning.map(({ head }) => head.epoch), [host.writer.epoch]);
    assert.equal(await reclaimOf(next).run(nobody), 0);
    next.pool.replayer.geometry.log.store64(stateOffset(index), StateWord.voidFile); // as the late one may do yet
    await until(() => next.pool.view.statusAt(index) === Status.Void);
    assert.throws(() => next.writer.create([file('b', 4 * AU)]), { code: 'NO_SPACE' });
    await assert.rejects(scrub.next(), { code: 'CLAIM_LOST' });
    host.writer.close();
    await until(() => next.writer.predecessors.abandonedBytes === 0);
    assert.throws(() => next.writer.create([file('b', 4 * AU)]), { code: 'NO_SPACE' }, 'it is void, and was not all zeroed');
    await until(() => next.writer.quarantined.length > 0);
    await reclaimOf(next).run(nobody);
    next.writer.create([file('b', 4 * AU)]);
    assert.ok(memoryIsZero(next.pool, next.pool.replayer.end - 1));
    next.stop();
  });
});

describe('a writer with a predecessor that may wake up late', () => {
  const { until } = heartbeats();
  let device: string;
  let late: OpenWriter;
  let ruler: OpenWriter;

  beforeEach(async () => {
    device = await newPool(4);
    late = await openWriter(device);
  });
  const takeOver = async () => {
    ruler = await openWriter(device, newHost(), { waitMs: 1, silentSince: () => 0 });
  };
  afterEach(() => {
    late.stop();
    ruler.stop();
    assert.equal(fsck(device).status, 0);
  });

  it('stores a state again that was set back', async () => {
    const index = filled(late, 'a');
    late.writer.remove('a');
    await takeOver();
    assert.equal(await reclaimOf(ruler).run(nobody), AU);
    const { log } = ruler.pool.replayer.geometry;
    log.store64(stateOffset(index), StateWord.quarantined);
    await until(() => log.load64(stateOffset(index)) === StateWord.voidFile);
  });

  it('adopts a late deletion, and tells the readers', async () => {
    const index = filled(late, 'a');
    await takeOver();
    const before = ruler.pool.replayer.ring.changeWord();
    ruler.pool.replayer.geometry.log.store64(stateOffset(index), StateWord.quarantined);
    await until(() => ruler.writer.quarantined.length === 1);
    const [{ target }] = ruler.writer.quarantined;
    assert.ok(target > before);
    assert.equal(ruler.pool.replayer.ring.changeWord(), target);
    assert.equal(await reclaimOf(ruler).run(async () => target), AU);
  });

  it('tells the readers of a directory that was deleted late', async () => {
    late.writer.create([directory('d')]);
    await takeOver();
    const { ring, geometry, view } = ruler.pool.replayer;
    const told = ring.changeWord();
    const index = view.resolve('d') - 2;
    geometry.log.store64(stateOffset(index), StateWord.voidDirectory);
    await until(() => ring.changeWord() > told);
  });

  it('stores guards and the change word again that were overwritten', async () => {
    filled(late, 'a');
    await takeOver();
    const { log } = ruler.pool.replayer.geometry;
    const { guards: [{ first }] } = ruler.pool.replayer.list;
    const guard = Buffer.from(log.bytes.subarray(entryOffset(first), entryOffset(first + 1)));
    log.store(entryOffset(first), Buffer.alloc(guard.length, 0x5a));
    const told = ruler.pool.replayer.ring.changeWord();
    ruler.pool.memory.superblock.store64(4096, 7n);
    await until(() => guard.equals(log.bytes.subarray(entryOffset(first), entryOffset(first + 1))));
    await until(() => ruler.pool.replayer.ring.changeWord() > told);
  });
});

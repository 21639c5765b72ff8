import assert from 'node:assert/strict';
import { stateOffset } from '../../../../src/famfs/format/log-header.ts';
import { EntryType, StateWord } from '../../../../src/famfs/format/state-word.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { Status } from '../../../../src/famfs/index/index-store.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { Reclaim } from '../../../../src/famfs/writer/reclaim.ts';
import { bytesAt } from '../../../support/memory-bytes.ts';
import { AU, directory, file, newPool, type OpenWriter, openWriter } from '../../../support/pools.ts';

const secret = Buffer.from('what the volume before has left');

/** Stores a file's words without anybody's knowing: one store voids it. */
function voidBehindTheBack({ pool }: OpenWriter, index: number): void {
  pool.replayer.geometry.log.store64(stateOffset(index), StateWord.voidFile);
}

/** A deletion that is stored late: one store quarantines a file that is void. */
function setBack({ pool }: OpenWriter, index: number): void {
  pool.replayer.geometry.log.store64(stateOffset(index), StateWord.quarantined);
}

function write({ pool }: OpenWriter, path: string, bytes: Buffer): void {
  pool.write(pool.view.resolve(path), 0, bytes);
}

/** All bytes of a file. */
function contentOf({ pool }: OpenWriter, path: string): Buffer {
  return Buffer.concat(pool.view.ranges(pool.view.resolve(path), 0, 2 ** 40).map((range) => Buffer.from(bytesAt(pool.memory, range))));
}

/** A file of two units that was deleted, then voided by another hand, as its writer has seen; a directory `b` is left to be removed. */
async function deletedAndVoided(units: number): Promise<{ device: string; host: OpenWriter; target: bigint }> {
  const device = await newPool(units);
  const host = await openWriter(device);
  host.writer.create([file('old', 2 * AU), directory('a'), directory('b')]);
  host.writer.remove('old');
  const [{ target }] = host.writer.quarantined;
  voidBehindTheBack(host, 0);
  host.writer.remove('a'); // looks at all states again
  return { device, host, target };
}

async function reclaim({ writer }: OpenWriter, acknowledged?: bigint): Promise<number> {
  return await new Reclaim({ writer, rate: Infinity, signal: new AbortController().signal }).run(() => Promise.resolve(acknowledged));
}

describe('memory that somebody else has voided', () => {
  it('is not handed out by the next writer before it was scrubbed: another file gets other memory', async () => {
    const device = await newPool(4);
    const first = await openWriter(device);
    first.writer.create([file('old', 2 * AU)]);
    write(first, 'old', secret);
    voidBehindTheBack(first, 0);
    first.stop();
    const next = await openWriter(device);
    assert.equal(next.pool.usage().freeBytes, 4 * AU);
    next.writer.create([file('new', 2 * AU)]);
    assert.ok(contentOf(next, 'new').equals(Buffer.alloc(2 * AU)));
    assert.ok(next.writer.taintedBytes >= AU);
    next.stop();
  });

  it('is refused where there is no other, scrubbed when all members know of it, and handed out then', async () => {
    const device = await newPool(2);
    const first = await openWriter(device);
    first.writer.create([file('old', 2 * AU)]);
    write(first, 'old', secret);
    voidBehindTheBack(first, 0);
    first.stop();
    const next = await openWriter(device);
    assert.throws(() => next.writer.create([file('new', 2 * AU)]), { code: 'NO_SPACE', message: /4194304 more are scrubbed first/ });
    const [{ index, bytes, target }] = next.writer.quarantined;
    assert.deepEqual([index, bytes, target], [1, 2 * AU, next.writer.change]);
    assert.equal(await reclaim(next, target - 1n), 0, 'a member has not acknowledged it');
    assert.equal(await reclaim(next, target), 2 * AU);
    next.writer.create([file('new', 2 * AU)]);
    assert.ok(contentOf(next, 'new').equals(Buffer.alloc(2 * AU)));
    next.stop();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('stays in quarantine for the writer after, when this one ends before it was scrubbed', async () => {
    const device = await newPool(2);
    const first = await openWriter(device);
    first.writer.create([file('old', AU)]);
    write(first, 'old', secret);
    voidBehindTheBack(first, 0);
    first.stop();
    const next = await openWriter(device);
    assert.throws(() => next.writer.create([file('new', 2 * AU)]), { code: 'NO_SPACE' });
    next.stop();
    const last = await openWriter(device);
    assert.equal(last.writer.quarantined.length, 1);
    assert.equal(last.pool.view.statusAt(1), Status.Quarantined);
    assert.ok(await reclaim(last) > 0);
    last.writer.create([file('new', 2 * AU)]);
    assert.ok(contentOf(last, 'new').equals(Buffer.alloc(2 * AU)));
    last.stop();
  });

  it('waits for members though it reads as zero, when this writer has seen the file live or in quarantine', async () => {
    const device = await newPool(6);
    const host = await openWriter(device);
    host.writer.create([file('live', AU), file('deleted', AU), file('other', AU)]);
    host.writer.remove('deleted');
    for (const index of [0, 1]) voidBehindTheBack(host, index);
    host.writer.remove('other'); // looks at all states again
    assert.equal(host.writer.taintedBytes, 2 * AU);
    host.writer.create([file('new', 3 * AU)]);
    assert.throws(() => host.writer.create([file('more', AU)]), { code: 'NO_SPACE' });
    const [other, owner] = host.writer.quarantined;
    assert.deepEqual([other.index, owner.index, owner.bytes], [2, 4, 2 * AU]);
    assert.ok(owner.target > other.target);
    assert.equal(await reclaim(host, other.target), AU, 'a member may still write to what was voided');
    await reclaim(host, owner.target);
    host.writer.create([file('more', 3 * AU)]);
    host.stop();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('is in quarantine again when the file is set back, and waits for members once more', async () => {
    const { device, host, target } = await deletedAndVoided(4);
    assert.deepEqual([host.writer.quarantined, host.writer.taintedBytes], [[], 2 * AU]);
    setBack(host, 0);
    host.writer.remove('b');
    const [again] = host.writer.quarantined;
    assert.deepEqual([again.index, again.bytes, again.target], [0, 2 * AU, host.writer.change]);
    assert.throws(() => host.writer.create([file('new', 3 * AU)]), { code: 'NO_SPACE', message: /4194304 are free/ });
    assert.equal(await reclaim(host, target), 0);
    assert.equal(await reclaim(host, again.target), 2 * AU);
    host.writer.create([file('new', 4 * AU)]);
    host.stop();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('is in quarantine again when the file is set back, after that of the owner that it has got meanwhile', async () => {
    const { device, host } = await deletedAndVoided(2);
    assert.throws(() => host.writer.create([file('new', 2 * AU)]), { code: 'NO_SPACE', message: /4194304 more are scrubbed first/ });
    setBack(host, 0);
    host.writer.remove('b');
    const [owner] = host.writer.quarantined;
    assert.deepEqual([owner.index, host.writer.quarantined.length], [3, 1]);
    assert.equal(await reclaim(host, owner.target), 2 * AU);
    const [again] = host.writer.quarantined;
    assert.equal(again.index, 0);
    assert.ok(again.target > owner.target);
    assert.throws(() => host.writer.create([file('new', AU)]), { code: 'NO_SPACE' });
    assert.equal(await reclaim(host, owner.target), 0);
    assert.equal(await reclaim(host, again.target), 2 * AU);
    host.writer.create([file('new', 2 * AU)]);
    host.stop();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('has an owner that all readers see alike, and that is no file when somebody sets it to live', async () => {
    const device = await newPool(2);
    const first = await openWriter(device);
    first.writer.create([file('old', 2 * AU)]);
    write(first, 'old', secret);
    voidBehindTheBack(first, 0);
    first.stop();
    const next = await openWriter(device);
    assert.throws(() => next.writer.create([file('new', 2 * AU)]), { code: 'NO_SPACE' });
    assert.equal(next.pool.usage().quarantinedBytes, 2 * AU);
    const { log } = next.pool.replayer.geometry;
    assert.equal(log.load32(stateOffset(1)), EntryType.Quarantined);
    log.store64(stateOffset(1), StateWord.file);
    next.stop();
    const reader = Pool.open(sourceOf(device), { writable: false });
    assert.deepEqual(reader.list(''), []);
    assert.deepEqual(reader.problems.map(({ index, severity }) => [index, severity]), [[1, 'reject']]);
    assert.equal(reader.usage().freeBytes, 0, 'its memory is nobody else\'s');
    reader.close();
  });
});

import assert from 'node:assert/strict';
import { FamfsError, type FamfsErrorCode } from '../../../../src/famfs/errors.ts';
import { ClaimLayout } from '../../../../src/famfs/format/claim-record.ts';
import { entryOffset, LogHeader, stateOffset } from '../../../../src/famfs/format/log-header.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { Reclaim } from '../../../../src/famfs/writer/reclaim.ts';
import { forgeClone } from '../../../support/forged.ts';
import { heartbeats } from '../../../support/heartbeats.ts';
import { AU, directory, file, METADATA, newHost, newPool, openWriter } from '../../../support/pools.ts';
import { head } from '../../../support/raw-bytes.ts';
import { readAsReference } from '../../../support/reference-reader.ts';
import { RemoteWriter } from '../../../support/remote-writer.ts';

const fails = (code: FamfsErrorCode, text: RegExp) => (error: unknown) => {
  assert(error instanceof FamfsError);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, text);
  return true;
};

describe('the writer of a pool', () => {
  it('makes a volume of a directory and a file that other hosts find', async () => {
    const device = await newPool();
    const host = await openWriter(device);
    const other = Pool.open(sourceOf(device), { writable: false });
    const record = { name: 'pvc-1', kind: 'volume', parameters: { uid: '7' }, createdAt: 1700000000000 };
    const made = host.writer.create([{ ...directory('v'), record }, file('v/data', 3 * MIB)]);
    assert.deepEqual(made.map(({ path, size }) => [path, size]), [['v', 0], ['v/data', 3 * MIB]]);
    assert.deepEqual(other.refresh().added, made.map(({ node }) => node));
    assert.deepEqual(other.stat('v')?.record, record);
    assert.equal(other.stat('v/data')?.size, 3 * MIB);
    assert.equal(other.usage().usedBytes, 2 * AU);
    host.stop();
    other.close();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('gives files memory that does not overlap and lies behind the log', async () => {
    const device = await newPool(8);
    const { writer, pool, stop } = await openWriter(device);
    const nodes = writer.create([file('a', AU + 1), file('b', AU), file('c', 5 * MIB)]);
    const extents = nodes.flatMap(({ node }) => pool.view.extents(node)).sort((a, b) => a.start - b.start);
    assert.equal(extents[0].start, METADATA);
    extents.reduce((before, { start, end }) => (assert(start >= before), end), METADATA);
    assert.equal(pool.usage().freeBytes, 2 * AU);
    stop();
  });

  it('spreads a file over several extents when no gap is large enough', async () => {
    const device = await newPool(6);
    const host = await openWriter(device);
    const made = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => host.writer.create([file(name)])[0]);
    const [, b, , d] = made.map(({ node }) => host.pool.view.extents(node)[0]);
    for (const name of ['b', 'd']) host.writer.remove(name);
    await new Reclaim({ writer: host.writer, rate: Infinity, signal: new AbortController().signal }).run(() => Promise.resolve(undefined));
    const [{ node }] = host.writer.create([file('g', AU + 1)]);
    const byAddress = (one: { start: number }, other: { start: number }) => one.start - other.start;
    assert.deepEqual([...host.pool.view.extents(node)].sort(byAddress), [b, d].sort(byAddress));
    assert.equal(host.pool.usage().freeBytes, 0);
    host.stop();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('refuses a file where no memory is free, and says so', async () => {
    const device = await newPool(6);
    const host = await openWriter(device);
    host.writer.create(['a', 'b', 'c'].map((name) => file(name)));
    host.writer.create(['d', 'e', 'f'].map((name) => file(name)));
    assert.throws(() => host.writer.create([file('g')]), fails('NO_SPACE', /g needs 2097152 bytes; 0 are free/));
    host.stop();
  });

  it('refuses what cannot be, names the value, and changes nothing', async () => {
    const device = await newPool(4);
    const { writer, pool, stop } = await openWriter(device);
    writer.create([directory('d'), file('f')]);
    const before = pool.replayer.end;
    const cases: [object, FamfsErrorCode, RegExp][] = [
      [file('d/x', 0), 'INVALID', /d\/x: size 0/],
      [file('d/x', -1), 'INVALID', /size -1/],
      [file('d/x', 1.5), 'INVALID', /size 1.5/],
      [file('d/x', NaN), 'INVALID', /size NaN/],
      [file('d/x', Number.MAX_SAFE_INTEGER), 'TOO_LARGE', /9007199254740991 bytes are more than the whole pool/],
      [file('d/x', 4 * AU), 'NO_SPACE', /6291456 are free/],
      [file('f'), 'EXISTS', /f exists already/],
      [directory('d'), 'EXISTS', /d exists already/],
      [file('nowhere/x'), 'NOT_FOUND', /"nowhere" does not exist/],
      [file('f/x'), 'NOT_FOUND', /"f" does not exist/],
      [file(''), 'INVALID', /the path is empty/],
      [file('/abs'), 'INVALID', /absolute/],
      [file('d/../x'), 'INVALID', /component "\.\."/],
      [file('d//x'), 'INVALID', /empty component/],
      [file('d/'), 'INVALID', /empty component/],
      [file('a\0b'), 'INVALID', /control character/],
      [file('a\nb'), 'INVALID', /control character/],
      [file('\ud800'), 'INVALID', /not UTF-8/],
      [file('x'.repeat(79)), 'INVALID', /79 bytes, at most 78/],
      [file('.meta'), 'INVALID', /"\.meta".*belongs to the reference tools/],
      [directory('.meta'), 'INVALID', /"\.meta".*belongs to the reference tools/],
      [file('.meta/.superblock'), 'INVALID', /"\.meta\/\.superblock".*belongs to the reference tools/],
      [{ ...file('x'), mode: 0o10000 }, 'INVALID', /mode 4096/],
      [{ ...file('x'), uid: -1 }, 'INVALID', /uid -1/],
      [{ ...file('x'), gid: 0xffffffff }, 'INVALID', /gid 4294967295/],
      [{ ...directory('x'), record: { name: 'n', kind: 'volume', parameters: { long: 'v'.repeat(400) }, createdAt: 0 } }, 'INVALID', /too long/],
    ];
    for (const [entry, code, text] of cases) {
      assert.throws(() => writer.create([entry as ReturnType<typeof file>]), fails(code, text));
    }
    assert.throws(() => writer.create([]), fails('INVALID', /1 to 4 entries, not 0/));
    assert.equal(pool.replayer.end, before);
    assert.equal(pool.usage().freeBytes, 3 * AU);
    stop();
    assert.equal(fsck(device).status, 0);
  });

  it('makes any name below the root, and what only looks like the one of the reference tools', async () => {
    const device = await newPool(4);
    const { writer, stop } = await openWriter(device);
    const made = writer.create([directory('d'), file('d/.meta'), file('.metadata'), directory('.Meta')]);
    assert.deepEqual(made.map(({ path }) => path), ['d', 'd/.meta', '.metadata', '.Meta']);
    stop();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('takes no memory for a batch of which one file does not fit', async () => {
    const device = await newPool(4);
    const { writer, pool, stop } = await openWriter(device);
    assert.throws(() => writer.create([file('a', 3 * AU), file('b', 2 * AU)]), fails('NO_SPACE', /b needs/));
    assert.equal(pool.stat('a'), undefined);
    writer.create([file('a', 3 * AU), file('b', AU)]);
    stop();
  });

  it('says when the log is full, and the volumes made before stay', async () => {
    const device = await newPool(4);
    const { writer, pool, stop } = await openWriter(device);
    const { capacity } = pool.replayer.geometry;
    for (let k = 0; k < capacity; k += 4) writer.create(Array.from({ length: Math.min(4, capacity - k) }, (_, j) => directory(`d${k + j}`)));
    assert.throws(() => writer.create([directory('one-more')]), fails('LOG_FULL', /0 slots left/));
    writer.remove('d7');
    assert.equal(pool.usage().slotsFree, 0);
    assert.equal(pool.list('').length, capacity - 1);
    stop();
    const again = await openWriter(device);
    assert.equal(again.pool.list('').length, capacity - 1);
    again.stop();
    assert.equal(fsck(device).status, 0);
  });
});

describe('deletion', () => {
  it('hides a file everywhere, keeps its memory in quarantine, and leaves the slot', async () => {
    const device = await newPool(4);
    const host = await openWriter(device);
    const [, made] = host.writer.create([directory('v'), file('v/data')]);
    const other = Pool.open(sourceOf(device), { writable: false });
    assert.throws(() => host.writer.remove('v'), fails('NOT_EMPTY', /v is not empty/));
    host.writer.remove('v/data');
    host.writer.remove('v');
    assert.throws(() => host.writer.remove('v'), fails('NOT_FOUND', /v does not exist/));
    assert.throws(() => host.writer.remove(''), fails('INVALID', /root/));
    assert.equal(other.view.liveness(made.node), 2, 'dead before any replay');
    assert.deepEqual(other.refresh().removed.sort(), [made.node - 1, made.node]);
    for (const pool of [host.pool, other]) {
      assert.equal(pool.stat('v'), undefined);
      assert.equal(pool.usage().quarantinedBytes, AU);
      assert.equal(pool.usage().freeBytes, 3 * AU);
      assert.equal(pool.usage().slotsUsed, 2);
    }
    other.close();
    host.stop();
    const fresh = Pool.open(sourceOf(device), { writable: false });
    assert.equal(fresh.usage().quarantinedBytes, AU);
    fresh.close();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('is refused where it would take clones of the reference tools with it, and names them', async () => {
    const device = await newPool(8);
    const first = await openWriter(device);
    first.writer.create([directory('v'), file('v/a', 2 * AU), file('v/b'), file('alone')]);
    const clones = ['one', 'two', 'three', 'four', 'five'].map((name) => forgeClone(first.pool, 'v/a', name));
    forgeClone(first.pool, 'v/b', 'v/b'); // at a path that is taken nobody shows it
    first.stop();
    const { writer, pool, stop } = await openWriter(device);
    const before = pool.memory.superblock.load64(ClaimLayout.changeWord);
    const named = /^v.* shares its memory .*"one", log entry 4; "two", log entry 5; "three", log entry 6; and 2 more\).*rm --force/;
    assert.throws(() => writer.remove('v/a'), fails('ALIASED', named));
    assert.throws(() => writer.mustBeUnaliased('v'), fails('ALIASED', named));
    assert.equal(pool.memory.superblock.load64(ClaimLayout.changeWord), before, 'nothing has changed');
    writer.mustBeUnaliased('alone');
    assert.deepEqual(writer.remove('v/b'), []);
    assert.deepEqual(writer.remove('v/a', { force: true }).map(({ index }) => index), clones);
    writer.mustBeUnaliased('v');
    writer.remove('v');
    assert.deepEqual(pool.list('').map(({ path }) => path), ['alone']);
    stop();
    assert.deepEqual(fsck(device).problems, []);
    assert.deepEqual(readAsReference(head(device, METADATA)).files.map(({ path }) => path), ['alone']);
  });

  it('sees a clone that was made while the writer rules', async () => {
    const device = await newPool(8);
    const { writer, pool, stop } = await openWriter(device);
    writer.create([file('a')]);
    const other = Pool.open(sourceOf(device));
    forgeClone(other, 'a', 'clone');
    other.close();
    assert.throws(() => writer.remove('a'), fails('ALIASED', /"clone"/));
    assert.equal(pool.stat('a')?.path, 'a');
    stop();
  });

  it('lets a name be used again, for another file', async () => {
    const device = await newPool(4);
    const { writer, pool, stop } = await openWriter(device);
    const [first] = writer.create([file('f')]);
    writer.remove('f');
    const [second] = writer.create([file('f')]);
    assert.notEqual(second.node, first.node);
    assert.notDeepEqual(pool.view.extents(second.node), pool.view.extents(first.node));
    stop();
    assert.deepEqual(fsck(device).problems, []);
  });
});

describe('taking over', () => {
  const { until } = heartbeats();

  it('refuses while another writes, and names it', async () => {
    const device = await newPool();
    const first = await openWriter(device);
    await assert.rejects(openWriter(device), fails('CLAIMED', /host-[0-9a-f]+\/[0-9a-f]{16} writes to this pool/));
    first.writer.create([file('still-mine')]);
    first.stop();
  });

  it('goes on at once after a clean stop, with a higher epoch and no slot spent', async () => {
    const device = await newPool();
    const first = await openWriter(device);
    first.writer.create([file('a')]);
    first.stop();
    const second = await openWriter(device);
    assert.equal(second.writer.epoch, first.writer.epoch + 1);
    assert.equal(second.pool.usage().slotsUsed, 1);
    second.stop();
  });

  it('knows at once on its own host that a killed writer is stopped', async () => {
    const device = await newPool();
    const host = newHost();
    const doomed = await RemoteWriter.start(device, host);
    assert.equal(await doomed.create('a'), 'ok');
    await assert.rejects(openWriter(device, host), fails('CLAIMED', /writes to this pool/));
    await doomed.kill();
    const next = await openWriter(device, host);
    assert.equal(next.pool.usage().slotsUsed, 1, 'no guards are needed');
    next.stop();
  });

  it('guards four slots against a silent writer on another host, and every reader skips them', async () => {
    const device = await newPool();
    const silent = await RemoteWriter.start(device, newHost());
    assert.equal(await silent.create('a'), 'ok');
    silent.pause();
    const reader = Pool.open(sourceOf(device), { writable: false });
    const next = await openWriter(device, newHost(), { waitMs: 300 });
    assert.equal(next.pool.usage().slotsUsed, 5);
    next.writer.create([file('b')]);
    silent.resume();
    assert.match(await silent.create('late'), /CLAIM_LOST/);
    reader.refresh();
    assert.deepEqual(reader.list('').map(({ path }) => path), ['a', 'b']);
    reader.close();
    await silent.kill();
    next.stop();
    assert.equal(fsck(device).status, 0);
    const after = await openWriter(device, newHost(), { assumeStopped: true });
    after.writer.create([file('c')]);
    assert.deepEqual(after.pool.replayer.ring.listInForce().guards, [], 'once all are stopped, the guards go');
    after.stop();
    const fresh = Pool.open(sourceOf(device), { writable: false });
    assert.deepEqual(fresh.list('').map(({ path }) => path), ['a', 'b', 'c']);
    fresh.close();
  });

  it('does not overrule a writer whose heartbeat moves', async () => {
    const device = await newPool();
    const alive = await RemoteWriter.start(device, newHost());
    await assert.rejects(openWriter(device, newHost(), { waitMs: 5000 }), fails('CLAIMED', /writes to this pool/));
    assert.equal(await alive.create('a'), 'ok');
    await alive.kill();
  });

  it('does not take over a pool of another cluster', async () => {
    const device = await newPool();
    await assert.rejects(openWriter(device, newHost('11111111-2222-4333-8444-555555555555')), fails('FOREIGN', /adopt/));
  });

  it('refuses a damaged log, and repairs counters that lag behind', async () => {
    const device = await newPool();
    const first = await openWriter(device);
    first.writer.create([file('a'), file('b'), file('c')]);
    first.stop();
    const pool = Pool.open(sourceOf(device));
    const { log } = pool.replayer.geometry;
    log.store64(LogHeader.nextIndexOffset, 2n);
    const second = await openWriter(device);
    assert.equal(log.load64(LogHeader.nextIndexOffset), 3n);
    second.stop();
    log.store(entryOffset(1) + 40, Buffer.from('X'));
    await assert.rejects(openWriter(device), fails('DAMAGED', /log entry 1: its CRC is/));
    pool.close();
    assert.equal(fsck(device).status, 1);
  });

  it('takes a log for sound again when what was written over for an instant is right', async () => {
    const { pool, writer, stop } = await openWriter(await newPool());
    const [{ node }] = writer.create([file('a'), file('b')]);
    const { log } = pool.replayer.geometry;
    const word = log.load64(stateOffset(node - 2));
    log.store64(stateOffset(node - 2), 0x1234n);
    log.store64(LogHeader.nextIndexOffset, 2n ** 40n);
    pool.memory.superblock.store64(4096, 7n); // so that the states are looked at
    writer.remove('b');
    assert.equal(pool.replayer.damaged, true);
    assert.throws(() => writer.create([file('c')]), fails('DAMAGED', /damaged/));
    log.store64(stateOffset(node - 2), word);
    await until(() => !pool.replayer.damaged);
    writer.create([file('c')]);
    stop();
  });
});

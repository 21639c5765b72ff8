import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { FamfsError } from '../../../../../src/famfs/errors.ts';
import { ClaimLayout, recordOffset } from '../../../../../src/famfs/format/claim-record.ts';
import { LogHeader } from '../../../../../src/famfs/format/log-header.ts';
import { fsck } from '../../../../../src/famfs/fsck/fsck.ts';
import { adopt } from '../../../../../src/famfs/mkfs/adopt.ts';
import { sourceOf } from '../../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../../src/famfs/pool/pool.ts';
import { Claim, isKnownStopped } from '../../../../../src/famfs/writer/claim/claim.ts';
import { hostPart } from '../../../../../src/famfs/writer/claim/writer-lock.ts';
import { takeOver } from '../../../../../src/famfs/writer/take-over/take-over.ts';
import { PoolWriter, type WriterIdentity } from '../../../../../src/famfs/writer/writer.ts';
import { directory, file, newHost, newPool, openWriter } from '../../../../support/pools.ts';
import { RemoteWriter } from '../../../../support/remote-writer.ts';

const code = (wanted: string) => (error: unknown) => error instanceof FamfsError && error.code === wanted;
const paths = (pool: Pool) => [...pool.walk()].map(({ path }) => path);

/** The two halves of a take-over, so that a test can do something in between. */
function writeClaim(pool: Pool, identity: WriterIdentity): Claim {
  return Claim.write(pool.memory.superblock, pool.replayer.ring, pool.uuid, identity, { floor: 0, isStopped: () => false, assumeStopped: false });
}

describe('a take-over that was paused', () => {
  it('zeroes nothing after it was overruled', async () => {
    const device = await newPool();
    const paused = await openWriter(device);
    const next = await openWriter(device, newHost(), { assumeStopped: true });
    next.writer.create([directory('v'), file('v/data')]);
    assert.throws(() => paused.writer.scrubFree(), code('CLAIM_LOST'));
    const fresh = Pool.open(sourceOf(device), { writable: false });
    assert.deepEqual(paths(fresh), ['v', 'v/data']);
    fresh.close();
    paused.pool.close();
    next.stop();
  });

  it('leaves no slot that some readers skip and others stop at', async () => {
    const device = await newPool();
    const first = await openWriter(device);
    first.writer.create([directory('v'), file('v/data')]);
    const [second, third] = [Pool.open(sourceOf(device)), Pool.open(sourceOf(device))];
    const late = writeClaim(second, newHost());
    const claim = writeClaim(third, newHost());
    // The second stores its list when the third has read the ring, and before it looks for the end.
    const { replayer } = third;
    const catchUp = replayer.catchUp.bind(replayer);
    replayer.catchUp = (thorough) => {
      replayer.catchUp = catchUp;
      late.writeList({ guards: [{ first: 2, count: 4 }], abandoned: [] });
      return catchUp(thorough);
    };
    const { appender } = takeOver(claim, replayer, () => false, false);
    assert.deepEqual(replayer.ring.listInForce().guards, [{ first: 2, count: appender.end - 2 }]);
    for (const pool of [first.pool, second, third]) pool.close();
    assert.equal(fsck(device).status, 0);
    (await openWriter(device, newHost(), { assumeStopped: true })).stop();
  });

  it('is noticed by a reader that missed it, though the list of guards is the same again', async () => {
    const device = await newPool();
    const host = newHost();
    const silent = await RemoteWriter.start(device, host);
    assert.equal(await silent.create('a'), 'ok');
    const reader = Pool.open(sourceOf(device), { writable: false });
    silent.pause();
    const guarded = await openWriter(device, newHost(), { waitMs: 300 });
    guarded.writer.create([file('b')]);
    guarded.stop();
    await silent.kill();
    const clean = await openWriter(device, host); // all are stopped: the list is empty as before
    assert.deepEqual(clean.pool.replayer.list.guards, []);
    clean.writer.create([file('c')]);
    assert(reader.refresh().rebuilt);
    assert.deepEqual(paths(reader), ['a', 'b', 'c']);
    reader.close();
    clean.stop();
  });
});

describe('claims', () => {
  it('tell hosts with long names apart', () => {
    const long = 'node-in-a-rack-of-some-data-centre-with-a-very-long-name';
    assert.notEqual(hostPart(`${long}-1`), hostPart(`${long}-2`));
    assert(Buffer.byteLength(hostPart(`${long}-1`)) <= 46);
    assert.equal(hostPart('short/name'), 'short_name');
  });

  it('do not use an empty record after the first round, unless the operator says that nobody is left', async () => {
    const device = await newPool();
    (await openWriter(device)).stop();
    await assert.rejects(openWriter(device, newHost(), { epochFloor: 200 }), code('CLAIMED'));
    const forced = await openWriter(device, newHost(), { epochFloor: 200, assumeStopped: true });
    assert.equal(forced.writer.epoch, 201);
    forced.stop();
    const next = await openWriter(device, newHost(), { epochFloor: 201 });
    assert.equal(next.writer.epoch, 202);
    next.stop();
  });

  it('are not written into a pool that has changed hands or was formatted since it was opened', async () => {
    const device = await newPool();
    const pool = Pool.open(sourceOf(device));
    const other = await newPool();
    const replaced = Pool.open(sourceOf(other));
    pool.memory.close();
    await adopt(device, { identity: newHost('11111111-2222-4333-8444-555555555555') });
    const again = Pool.open(sourceOf(device));
    await assert.rejects(PoolWriter.acquire(again, { identity: newHost() }), code('FOREIGN'));
    const { superblock } = replaced.memory;
    superblock.store(0, Buffer.from(again.memory.superblock.bytes.subarray(0, 200)));
    again.close();
    await assert.rejects(PoolWriter.acquire(replaced, { identity: newHost() }), code('REPLACED'));
    replaced.close();
  });

  it('ignore a scrub word that names no entry', async () => {
    const device = await newPool();
    const first = await openWriter(device);
    const at = recordOffset(first.writer.epoch) + ClaimLayout.scrubbing;
    first.pool.memory.superblock.store64(at, 0xffff_ffff_ffffn);
    first.pool.close();
    const next = await openWriter(device, newHost(), { waitMs: 300 });
    next.writer.create([file('a')]);
    next.stop();
  });

  it('can be closed twice', async () => {
    const { writer, pool } = await openWriter(await newPool());
    writer.close();
    writer.close();
    pool.close();
  });

  it('of a writer on a host that has booted since are known to be stopped', async () => {
    const device = await newPool();
    const host = newHost();
    const { pool, stop } = await openWriter(device, host);
    const record = pool.replayer.ring.ruling()!;
    const earlier = { ...record, head: { ...record.head, bootId: '00000000-0000-4000-8000-000000000000' } };
    assert(isKnownStopped(earlier, host));
    assert(!isKnownStopped(earlier, newHost()));
    stop();
  });

  it('of a writer of another cluster are not known to be stopped because a host of this one has the same name', async () => {
    const device = await newPool();
    const host = newHost();
    const { pool, stop } = await openWriter(device, host);
    const record = pool.replayer.ring.ruling()!;
    const theirs = { ...record, head: { ...record.head, bootId: '00000000-0000-4000-8000-000000000000' } };
    assert(isKnownStopped(theirs, { ...host, clusterUuid: host.clusterUuid.toUpperCase() }));
    assert(!isKnownStopped(theirs, { ...host, clusterUuid: randomUUID() }));
    stop();
  });
});

describe('a log whose counter is absurd', () => {
  it('is current for a reader that has seen it', async () => {
    const device = await newPool();
    const pool = Pool.open(sourceOf(device));
    pool.replayer.geometry.log.store64(LogHeader.nextIndexOffset, 0xffff_ffff_ffff_ffffn);
    pool.refresh();
    assert(pool.view.isCurrent());
    assert(pool.replayer.damaged);
    pool.close();
  });
});

import assert from 'node:assert/strict';
import { ClaimLayout, recordOffset } from '../../../../../src/famfs/format/claim-record.ts';
import { fsck } from '../../../../../src/famfs/fsck/fsck.ts';
import { openMemory, sourceOf } from '../../../../../src/famfs/pool/pool-source.ts';
import { forgedRecords, removeRecords } from '../../../../../src/famfs/writer/take-over/reset-claim.ts';
import { forgeClaim } from '../../../../support/forged-claim.ts';
import { file, newHost, newPool, openWriter } from '../../../../support/pools.ts';
import { rejects } from '../../../../support/rejects.ts';

const HIGHEST = 2 ** 32 - 1;

describe('a claim with an epoch that no writer can have reached', () => {
  it('is not followed, and what can be done is said; when it is removed, writers go on where they were', async () => {
    const device = await newPool();
    const host = await openWriter(device, newHost(), { epochFloor: 41 });
    host.writer.create([file('before')]);
    host.writer.remove('before');
    const { change } = host.writer;
    assert.equal(host.writer.epoch, 42);
    forgeClaim(device, HIGHEST, []);
    assert.throws(() => host.writer.create([file('more')]), { code: 'CLAIM_LOST' });
    host.stop();
    await rejects(openWriter(device, newHost(), { epochFloor: 42 }), 'CLAIMED', /has epoch 4294967295, and no writer of this cluster was ever above 42: .*reset-claim/);

    const memory = openMemory(sourceOf(device));
    const records = forgedRecords(memory);
    assert.deepEqual(records.map(({ epoch, holder }) => [epoch, holder]), [[HIGHEST, `forged/${HIGHEST}`]]);
    await removeRecords(memory, records);
    assert.deepEqual(forgedRecords(memory), []);
    memory.close();

    const next = await openWriter(device, newHost(), { epochFloor: 42 });
    assert.equal(next.writer.epoch, 43);
    assert.ok(next.writer.change > change, 'no word that a host has acknowledged is reached again');
    assert.deepEqual(next.writer.quarantined.map(({ target }) => target >> 32n), [43n]);
    next.writer.create([file('after')]);
    next.stop();
    assert.equal(fsck(device).status, 0);
  });

  it('is not removed while its writer gives signs of life', async () => {
    const device = await newPool();
    forgeClaim(device, HIGHEST, []);
    const memory = openMemory(sourceOf(device));
    const beating = setInterval(() => memory.superblock.store64(recordOffset(HIGHEST) + ClaimLayout.heartbeat, BigInt(Date.now())), 100);
    await rejects(removeRecords(memory, forgedRecords(memory)), 'CLAIMED', /epoch 4294967295 \(forged.* is alive/);
    clearInterval(beating);
    assert.equal(forgedRecords(memory).length, 1);
    memory.close();
  });

  it('is followed up to a million above the lease, as commands take epochs too', async () => {
    const device = await newPool();
    forgeClaim(device, 2 ** 20, []);
    const host = await openWriter(device, newHost(), { assumeStopped: true });
    assert.equal(host.writer.epoch, 2 ** 20 + 1);
    host.stop();
  });
});

describe('records that were forged', () => {
  it('are those with a list that no take-over can have made for this log, however often it was refused', async () => {
    const device = await newPool();
    const host = await openWriter(device);
    for (let k = 0; k < 24; k++) host.writer.create([{ kind: 'directory', path: `d${k}`, mode: 0o755, uid: 0, gid: 0 }]);
    host.stop();
    forgeClaim(device, 2, [{ first: 0, count: 20 }]);
    for (let k = 0; k < 4; k++) await rejects(openWriter(device), 'DAMAGED', /epoch 2: it hides 20 live entries/);
    const memory = openMemory(sourceOf(device));
    assert.deepEqual(forgedRecords(memory).map(({ epoch, reason }) => [epoch, /hides 20 live entries/.test(reason)]), [[2, true]]);
    forgeClaim(device, 8, [{ first: 400, count: 4 }]);
    assert.deepEqual(forgedRecords(memory).map(({ epoch, reason }) => [epoch, /guards 4 slots from 400 on/.test(reason)]), [[8, true]]);
    forgeClaim(device, 9, [{ first: 12, count: 400 }]);
    assert.match(forgedRecords(memory)[0].reason, /guards 388 slots without a guard/);
    memory.close();
  });

  it('are those with a list that no take-over makes, and all above an epoch that is named', async () => {
    const device = await newPool();
    const host = await openWriter(device);
    host.stop();
    forgeClaim(device, 7, [{ first: 0, count: HIGHEST }]);
    const memory = openMemory(sourceOf(device));
    assert.deepEqual(forgedRecords(memory).map(({ epoch, reason }) => [epoch, reason.slice(0, 30)]), [[7, 'its list of guards cannot be: ']]);
    assert.deepEqual(forgedRecords(memory, 0).map(({ epoch }) => epoch), [1, 7]);
    await removeRecords(memory, forgedRecords(memory));
    memory.close();
    const next = await openWriter(device);
    assert.equal(next.writer.epoch, 2);
    next.stop();
  });
});

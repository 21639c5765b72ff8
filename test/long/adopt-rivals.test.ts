/** What waits for signs of life of a writer before a pool is adopted: more than two heartbeats each. */
import assert from 'node:assert/strict';
import { openDevice } from '../../src/famfs/device/open.ts';
import { ClaimLayout, encodeClaimHead, recordOffset } from '../../src/famfs/format/claim-record.ts';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import { adopt } from '../../src/famfs/mkfs/adopt.ts';
import { imageOf } from '../support/image.ts';
import { dropLocks } from '../support/other-host.ts';
import { file, newHost, newPool, openWriter } from '../support/pools.ts';
import { rejects } from '../support/rejects.ts';
import { RemoteWriter } from '../support/remote-writer.ts';
import { vector } from '../support/vectors.ts';

const OTHER = '11111111-2222-4333-8444-555555555555';

describe('adopt of a pool with rivals', () => {
  it('refuses while any former writer may wake up, though the last has stopped', async () => {
    const device = await newPool(4);
    const paused = await RemoteWriter.start(device, newHost());
    paused.pause();
    (await openWriter(device, newHost(), { waitMs: 300 })).stop();
    await paused.kill(); // its host would know, this one does not
    await rejects(adopt(device, { identity: newHost(OTHER) }), 'CLAIMED', /host-.*\(epoch 1\) wrote to this pool and may still be running; .*--assume-stopped/);
    assert.equal(usedRecords(device), 2, 'a refusal takes no claim');
    await adopt(device, { identity: newHost(OTHER), assumeStopped: true });
    assert.equal(fsck(device).systemUuid, OTHER);
  });

  it('does not believe an operator of a foreign writer that is alive', async () => {
    const device = await newPool(1);
    const host = await openWriter(device);
    dropLocks(device);
    await rejects(adopt(device, { identity: newHost(OTHER), assumeStopped: true }), 'CLAIMED', /is being written to by host-/);
    host.writer.create([file('still-works')]);
    host.stop();
  });

  it('clears a strange claim ring, and never a record of ours', async () => {
    const { json, ...bytes } = vector('b-mixed');
    const device = imageOf(bytes, json.device_size);
    const raw = openDevice(device);
    raw.superblock.store(ClaimLayout.changeWord, Buffer.alloc(8, 0x55));
    raw.superblock.store(recordOffset(7), Buffer.alloc(ClaimLayout.recordLength, 0xaa));
    raw.superblock.store(1000, Buffer.from('bytes of others'));
    raw.close();
    await adopt(device, { identity: newHost(OTHER) });
    const after = openDevice(device);
    assert(after.superblock.bytes.subarray(recordOffset(7), recordOffset(8)).every((byte) => byte === 0));
    assert.equal(after.superblock.bytes.toString('latin1', 1000, 1015), 'bytes of others');
    const later = encodeClaimHead({
      uuid: json.superblock.uuid, epoch: 9, firstEpoch: 1, clusterUuid: OTHER, holder: 'late/1', bootId: OTHER,
    });
    after.superblock.store(recordOffset(9), later);
    after.superblock.store(recordOffset(20), Buffer.alloc(100, 0xaa));
    after.close();
    await rejects(adopt(device, { identity: newHost() }), 'CLAIMED', /late\/1 \(epoch 9\)/);
    await adopt(device, { identity: newHost(OTHER), assumeStopped: true });
    const end = openDevice(device);
    assert(end.superblock.bytes.subarray(recordOffset(9), recordOffset(9) + later.length).equals(later));
    end.close();
  });
});

/** Records of the claim ring that were ever used. */
function usedRecords(device: string): number {
  const raw = openDevice(device, { writable: false });
  const heads = Array.from({ length: ClaimLayout.records }, (_, number) => raw.superblock.bytes[recordOffset(number)] !== 0);
  raw.close();
  return heads.filter(Boolean).length;
}

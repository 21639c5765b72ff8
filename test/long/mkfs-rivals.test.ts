/** What waits for signs of life of a writer on another host: more than two heartbeats each. */
import assert from 'node:assert/strict';
import { openDevice } from '../../src/famfs/device/open.ts';
import { ClaimLayout, recordOffset, SCRUB_POOL } from '../../src/famfs/format/claim-record.ts';
import { Superblock } from '../../src/famfs/format/superblock.ts';
import { mkfs } from '../../src/famfs/mkfs/mkfs.ts';
import { dropLocks } from '../support/other-host.ts';
import { CLUSTER, file, newHost, newPool, openWriter } from '../support/pools.ts';
import { head, patch } from '../support/raw-bytes.ts';
import { rejects } from '../support/rejects.ts';
import { RemoteWriter } from '../support/remote-writer.ts';

const superblock = (device: string) => head(device, Superblock.length);

describe('mkfs and a writer on another host', () => {
  const isStopped = (): boolean => false;

  it('is refused by its heartbeat, whatever the superblock says', async () => {
    for (const damage of [{ at: 88, value: 0xff }, { at: 0, value: 0 }]) { // not of the UUID: that ends a writer
      const device = await newPool(1);
      const writer = await openWriter(device);
      writer.writer.create([file('kept')]);
      dropLocks(device);
      const damaged = superblock(device).fill(damage.value, damage.at, damage.at + 1);
      patch(device, 0, damaged);
      const forced = mkfs(device, { clusterUuid: CLUSTER, force: true, isStopped });
      await rejects(forced, 'IN_USE', /is being written to by host-.*stop it first/);
      assert(superblock(device).equals(damaged));
      writer.stop();
      await mkfs(device, { clusterUuid: CLUSTER, force: true, isStopped });
    }
  });

  it('watches all writers, also one that has been overruled', async () => {
    const device = await newPool(4);
    const remote = await RemoteWriter.start(device, newHost());
    remote.pause();
    const host = await openWriter(device, newHost(), { waitMs: 300 });
    host.stop();
    await remote.kill();
    const raw = openDevice(device); // as if the paused one had woken up
    dropLocks(device);
    const beat = () => raw.superblock.store64(recordOffset(1) + ClaimLayout.heartbeat, BigInt(Date.now()));
    const timer = setInterval(beat, 200);
    try {
      await rejects(mkfs(device, { clusterUuid: CLUSTER, force: true, isStopped }), 'IN_USE', /being written to/);
    } finally {
      clearInterval(timer);
      raw.close();
    }
  });

  it('believes an operator, but not of another cluster that is alive', async () => {
    const device = await newPool(1);
    const host = await openWriter(device);
    dropLocks(device);
    const other = '11111111-2222-4333-8444-555555555555';
    const options = { force: true, isStopped, assumeStopped: true };
    await rejects(mkfs(device, { clusterUuid: other, ...options }), 'IN_USE', /being written to/);
    await mkfs(device, { clusterUuid: CLUSTER, ...options });
    assert.throws(() => host.writer.create([file('lost')]), /lost the pool|no superblock|superblock/);
    host.stop();
  });

  it('does not clear under somebody who clears, unless an operator says that it has ended', async () => {
    const device = await newPool(1);
    const remote = await RemoteWriter.start(device, newHost());
    await remote.kill();
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(SCRUB_POOL);
    patch(device, recordOffset(1) + ClaimLayout.scrubbing, word);
    const forced = mkfs(device, { clusterUuid: CLUSTER, force: true, isStopped });
    await rejects(forced, 'IN_USE', /may still be clearing memory.*--assume-stopped/);
    await mkfs(device, { clusterUuid: CLUSTER, force: true, isStopped, assumeStopped: true });
  });
});

import assert from 'node:assert/strict';
import { ClaimWatch } from '../../../../src/controller/pools/claim-watch.ts';
import { uptimeMs } from '../../../../src/famfs/host.ts';
import { mkfs } from '../../../../src/famfs/mkfs/mkfs.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { shmFile } from '../../../harness/temp.ts';
import { AU, CLUSTER, METADATA, newHost, newPool, openWriter } from '../../../support/pools.ts';

describe('ClaimWatch', () => {
  it('lets the claim of a silent rival be taken at once that was silent for long enough', async () => {
    const device = await newPool(1);
    const rival = await openWriter(device);
    const pool = Pool.open(sourceOf(device));
    const acquire = (silentSince: number) => openWriter(device, newHost(), { waitMs: 10_000, silentSince: () => silentSince });
    const next = await acquire(uptimeMs() - 11_000);
    assert.ok(next.writer.epoch > rival.writer.epoch);
    for (const open of [next, rival]) open.stop();
    pool.close();
  });

  it('does not keep a device from being formatted', async () => {
    const device = shmFile('later');
    const watch = new ClaimWatch(device);
    await mkfs(device, { clusterUuid: CLUSTER, simulate: METADATA + AU });
    watch.stop();
  });

  it('is asked right before the claim is written whether it may be', async () => {
    const device = await newPool(1);
    await assert.rejects(openWriter(device, newHost(), { mayWrite: () => { throw new Error('the lease is lost'); } }), /the lease is lost/);
    const pool = Pool.open(sourceOf(device), { writable: false });
    assert.equal(pool.replayer.ring.ruling(), undefined);
    pool.close();
  });
});

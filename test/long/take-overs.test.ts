import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClaimWatch } from '../../src/controller/pools/claim-watch.ts';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import { uptimeMs } from '../../src/famfs/host.ts';
import { raceForClaims } from '../support/claim-race.ts';
import { file, newHost, newPool, openWriter } from '../support/pools.ts';

describe('taking over again and again', () => {
  it('survives more take-overs than the ring has records', async () => {
    const device = await newPool(200);
    for (let k = 0; k < 70; k++) {
      const host = await openWriter(device);
      assert.equal(host.writer.epoch, k + 1);
      host.writer.create([file(`f${k}`)]);
      host.stop();
    }
    const report = fsck(device);
    assert.deepEqual([report.problems, report.usage?.files], [[], 70]);
  });
});

describe('claims that are taken at once', () => {
  for (const [where, hosts] of [['one host', 1], ['several hosts', 3]] as const) {
    it(`are of different epochs, however many writers of ${where} choose at once`, async () => {
      const device = await newPool();
      const identities = Array.from({ length: hosts }, () => newHost());
      const epochs = await raceForClaims(device, [0, 1, 2].map((k) => identities[k % hosts]), 40);
      assert(epochs.length > 10, `only ${epochs.length} claims were had`);
      assert.equal(new Set(epochs).size, epochs.length);
      assert.equal(fsck(device).status, 0);
    });
  }
});

describe('ClaimWatch of a rival that beats', () => {
  it('knows since when a rival has been silent, and nothing of one that still beats', async () => {
    const device = await newPool(1);
    const rival = await openWriter(device);
    const watch = new ClaimWatch(device);
    const ruling = () => rival.pool.replayer.ring.ruling()!;
    await sleep(1_700);
    const beating = ruling();
    const since = watch.silentSince(beating);
    assert.ok(since === undefined || uptimeMs() - since < 1600, 'a heartbeat was missed');
    rival.stop();
    watch.stop();
  });
});

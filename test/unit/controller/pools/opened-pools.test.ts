import assert from 'node:assert/strict';
import { OpenedPools } from '../../../../src/controller/pools/opened-pools.ts';
import { mkfs } from '../../../../src/famfs/mkfs/mkfs.ts';
import { shmFile } from '../../../harness/temp.ts';
import { AU, CLUSTER, METADATA, newPool, openWriter } from '../../../support/pools.ts';

const directory = (path: string) => ({ kind: 'directory', path, mode: 0o755, uid: 0, gid: 0 }) as const;

describe('pools opened ahead of the lease', () => {
  it('are handed over once, with what was written meanwhile', async () => {
    const device = await newPool(1);
    const opened = new OpenedPools([device]);
    const rival = await openWriter(device);
    rival.writer.create([directory('meanwhile')]);
    const pool = opened.take(device)!;
    assert.equal(pool.stat('meanwhile')?.kind, 'directory');
    assert.equal(opened.take(device), undefined);
    opened.close();
    assert.equal(pool.memory.closed, false);
    pool.close();
    rival.stop();
  });

  it('are those that can be opened, and keep no device from being formatted that holds nothing', async () => {
    const empty = shmFile('empty');
    const good = await newPool(1);
    const opened = new OpenedPools(['/nonexistent/device', empty, good]);
    assert.equal(opened.take(empty), undefined);
    await mkfs(empty, { clusterUuid: CLUSTER, simulate: METADATA + AU });
    opened.take(good)!.close();
  });

  it('are closed where nobody took them', async () => {
    const device = await newPool(1);
    const opened = new OpenedPools([device]);
    opened.close();
    assert.equal(opened.take(device), undefined);
    await mkfs(device, { clusterUuid: CLUSTER, force: true }); // which wants the device for itself
  });
});

/** What the node plugin takes down while the data plane answers nothing. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindMount } from '../../src/node/bind-mount.ts';
import { mountAt } from '../../src/node/mounts.ts';
import { unmountAndRemove } from '../../src/node/volume-mounts.ts';
import { tempDir } from '../harness/temp.ts';
import { Host } from '../support/host.ts';
import { PoolFixture } from '../support/pool-fixture.ts';

/** More than an unmount ever takes; without an end, the stopped session would be left behind. */
const HANGS_MS = 15_000;

describe('a volume of a pool whose session hangs', () => {
  it('is unpublished without waiting for an answer', async () => {
    const pool = await PoolFixture.make(64 * 2 ** 20);
    pool.volume('vol', 2 * 2 ** 20);
    const host = await Host.mount(pool.path);
    const target = join(tempDir('target'), 'mount');
    fs.mkdirSync(target);
    await bindMount(host.path('vol'), target, ['rw']);
    const { pid } = host.session;
    const child = Number.parseInt(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
    process.kill(child, 'SIGSTOP');
    try {
      const ended = await Promise.race([unmountAndRemove(target, `${pool.uuid}/vol`).then(() => true), sleep(HANGS_MS, false, { ref: false })]);
      assert.ok(ended, 'it waits for the session');
      assert.equal(await mountAt(target), undefined);
      assert.ok(!fs.existsSync(target));
    } finally {
      process.kill(child, 'SIGCONT');
      await host.end();
      pool.close();
    }
  });
});

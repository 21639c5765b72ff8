/** What the node plugin takes down while the data plane answers nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { bindMount } from '../../src/node/bind-mount.ts';
import { mountAt } from '../../src/node/mounts.ts';
import { unmountAndRemove } from '../../src/node/volume-mounts.ts';
import { tempDir } from '../harness/temp.ts';
import { Host } from '../support/host.ts';
import { PoolFixture } from '../support/pool-fixture.ts';

/** More than an unmount ever takes; without an end, the stopped session would be left behind. */
const HANGS_MS = 15_000;

describe('a volume of a pool whose session hangs', () => {
  let pool: PoolFixture;
  let host: Host;
  let target: string;
  let child: number;

  beforeEach(async () => {
    pool = await PoolFixture.make(64 * 2 ** 20);
    pool.volume('vol', 2 * 2 ** 20);
    host = await Host.mount(pool.path);
    target = join(tempDir('target'), 'mount');
    fs.mkdirSync(target);
    await bindMount(host.path('vol'), target, ['rw']);
    child = host.session.record.child.pid;
  });

  const hang = () => process.kill(child, 'SIGSTOP');

  afterEach(async () => {
    process.kill(child, 'SIGCONT');
    await host.end();
    pool.close();
  });

  async function unpublish(): Promise<void> {
    const ended = await Promise.race([unmountAndRemove(target, `${pool.uuid}/vol`).then(() => true), sleep(HANGS_MS, false, { ref: false })]);
    assert.ok(ended, 'it waits for the session');
    assert.equal(await mountAt(target), undefined);
    assert.ok(!fs.existsSync(target));
  }

  it('is unpublished without waiting for an answer, in use or not', async () => {
    const user = spawn('sleep', ['infinity'], { cwd: target });
    try {
      await once(user, 'spawn');
      hang();
      await unpublish();
    } finally {
      user.kill('SIGKILL');
    }
  });

  it('is unpublished where it is the last mount of its session, and whoever waits for that one gets an error', async () => {
    hang();
    const user = spawn('cat', [join(target, 'data')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let problem = '';
    user.stderr.on('data', (text: Buffer) => (problem += text.toString()));
    const closed = once(user, 'close');
    await once(user, 'spawn');
    await unmountFuse(host.directory, { lazy: true });
    await unpublish();
    await closed;
    assert.match(problem, /not connected|connection abort/);
  });
});

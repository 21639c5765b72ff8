import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DirectoryLease } from '../../../src/state/directory-lease.ts';

describe('DirectoryLease', () => {
  let folder: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'famfs-lease-')); });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('has one holder; the next one gets it with the epoch that was reached', async () => {
    const first = await DirectoryLease.acquire(folder);
    assert.equal(first.epoch, 0);
    let got = false;
    const waiting = DirectoryLease.acquire(folder).then((lease) => {
      got = true;
      return lease;
    });
    await Promise.all([first.raise('a', 5), first.raise('b', 2)]);
    await first.raise('a', 3);
    await delay(400);
    assert.ok(!got);
    await first.release();
    const second = await waiting;
    assert.deepEqual([second.epochOf('a'), second.epochOf('b'), second.epochOf('c'), second.epoch], [5, 2, 0, 5]);
    assert.ok(!first.lost.aborted);
    await second.release();
  });

  it('can be given up waiting for', async () => {
    const lease = await DirectoryLease.acquire(folder);
    const stopping = new AbortController();
    const waiting = DirectoryLease.acquire(folder, stopping.signal);
    stopping.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    await lease.release();
  });

  it('notices that its lock file was removed', async () => {
    const lease = await DirectoryLease.acquire(folder);
    fs.rmSync(path.join(folder, 'controller.lock'));
    await new Promise((resolve) => lease.lost.addEventListener('abort', resolve));
    assert.match(String(lease.lost.reason), /controller\.lock was removed/);
    await assert.rejects(lease.raise('a', 9), /lease is lost/);
    await lease.release();
  });

  it('is refused to a holder at once whose lock file was replaced, and to one that gave it back', async () => {
    const lease = await DirectoryLease.acquire(folder);
    lease.mustHold();
    fs.rmSync(path.join(folder, 'controller.lock'));
    assert.throws(() => lease.mustHold(), /controller\.lock was removed/);
    const next = await DirectoryLease.acquire(folder);
    await next.release();
    assert.throws(() => next.mustHold(), /given back/);
    await lease.release();
  });

  it('refuses an epoch file that holds none', async () => {
    fs.writeFileSync(path.join(folder, 'epochs.json'), 'seven');
    await assert.rejects(DirectoryLease.acquire(folder), /holds no epochs/);
  });
});

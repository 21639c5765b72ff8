/** Writers on one host, verifying readers on another: nobody ever reads what is out of date. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { root } from '../harness/paths.ts';
import type { CoherenceResult, CoherenceTask } from '../support/coherence-worker.ts';
import { Host, outcome } from '../support/host.ts';
import { PoolFixture } from '../support/pool-fixture.ts';

const PAIRS = 4;
/** Changes that each reader sees, by the way of access; FAMFS_TEST_TIMES multiplies them. */
const times = Number(process.env['FAMFS_TEST_TIMES'] ?? 1);
const changesSeen = { 'read/write': 15_000 * times, mmap: 3_000 * times } as const;

function runTask(task: CoherenceTask): Promise<CoherenceResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(root, 'test/support/coherence-worker.ts'), { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`the ${task.role} of ${task.path} ended without a result`)));
  });
}

describe('two mounts under load', function () {
  this.timeout(600_000 * times);
  let pool: PoolFixture;
  let writing: Host;
  let reading: Host;
  const files = Array.from({ length: PAIRS }, (_, k) => `vol${k}/data`);

  before(async () => {
    pool = await PoolFixture.make(64 * 1024 * 1024);
    for (let k = 0; k < PAIRS; k++) pool.volume(`vol${k}`, 2 * 1024 * 1024);
    [writing, reading] = await Promise.all([Host.mount(pool.path), Host.mount(pool.path)]);
  });

  const opened: number[] = [];

  after(async () => {
    opened.forEach((fd) => fs.closeSync(fd));
    await Promise.all([writing?.end(), reading?.end()]);
    pool?.close();
  });

  for (const access of ['read/write', 'mmap'] as const) {
    it(`${PAIRS} writers, and ${PAIRS} readers that each see ${changesSeen[access]} changes, by ${access}`, async () => {
      const unfinished = new SharedArrayBuffer(4);
      new Int32Array(unfinished)[0] = PAIRS;
      const common = { access, changes: changesSeen[access], unfinished };
      for (const file of files) fs.writeSync(openForTest(writing.path(file)), Buffer.alloc(65536), 0, 65536, 0);
      const tasks = files.flatMap((file) => {
        const progress = new SharedArrayBuffer(8);
        return [
          runTask({ role: 'writer', ...common, path: writing.path(file), progress }),
          runTask({ role: 'reader', ...common, path: reading.path(file), progress }),
        ];
      });
      const results = await Promise.all(tasks).finally(() => Atomics.store(new Int32Array(unfinished), 0, 0)); // when one has failed
      const readers = results.filter(({ role }) => role === 'reader');
      const writes = results.filter(({ role }) => role === 'writer').map(({ accesses }) => accesses);
      console.log(`      writes ${writes.join(' ')}; reads ${readers.map((r) => r.accesses).join(' ')}; ` +
        `changes seen ${readers.map((r) => r.changes).join(' ')}`);
      for (const { violations, violationCount } of readers) assert.equal(violationCount, 0, violations.join('\n'));
    });
  }

  it('a file opened before its deletion answers ESTALE on both', () => {
    const open = [writing, reading].map((host) => openForTest(host.path(files[0])));
    pool.remove(files[0]);
    for (const fd of open) {
      assert.equal(outcome(() => fs.readSync(fd, Buffer.alloc(8), 0, 8, 0)), 'ESTALE');
      assert.equal(outcome(() => fs.writeSync(fd, Buffer.alloc(8), 0, 8, 0)), 'ESTALE');
    }
  });

  function openForTest(path: string): number {
    opened.push(fs.openSync(path, 'r+'));
    return opened.at(-1)!;
  }
});

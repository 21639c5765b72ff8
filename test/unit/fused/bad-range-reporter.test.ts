import assert from 'node:assert/strict';
import { pidNamespace, startTimeOf } from '../../../src/famfs/fuse/session/processes.ts';
import { RECORD_VERSION, writeRecord } from '../../../src/famfs/fuse/session/session-record.ts';
import { BadRangeReporter } from '../../../src/fused/bad-range-reporter.ts';
import { tempDir } from '../../harness/temp.ts';
import { PoolFixture } from '../../support/pool-fixture.ts';

describe('bad parts', () => {
  it('are told of once, about the volume and the file they belong to, or about the pool', async () => {
    const hostDirectory = tempDir('bad');
    const pool = await PoolFixture.make(64 * 2 ** 20);
    after(() => pool.close());
    for (const volume of ['one', 'two', 'two-more']) pool.volume(volume, 2 * 2 ** 20);
    const self = { pid: process.pid, startTime: startTimeOf(process.pid)! };
    const record = (bad: readonly { node: number; offset: number; length: number }[]) => writeRecord({
      id: 'a', version: RECORD_VERSION, device: pool.path, directory: '/nowhere', hostDirectory, readOnly: false, patienceMs: 0, poolUuid: pool.uuid, ...self,
      pidNamespace: pidNamespace(), child: self, mount: '0:7', agreement: { minor: 45, maxWrite: 4096, epoch: true, resend: true },
      problems: [], limitations: [], bad,
    });
    const stage = (name: string) => ({ volume: `${pool.uuid}/${name}`, path: '/x', access: {} as never, targets: [] });
    const told: [string, string][] = [];
    const reporter = new BadRangeReporter({
      hostDirectory, host: 'red', stages: { ofPool: async () => [stage('one'), stage('tw'), stage('two//team-b'), stage('two'), stage('gone')] },
      notices: {
        pool: ({ pool: about, message }) => void told.push([about, message]),
        volume: ({ volume, message }) => void told.push([volume, message]),
      },
    });
    record([]);
    await reporter.reportNew();
    assert.equal(told.length, 0);
    const part = { node: pool.node('two/data'), offset: 4096, length: 8192 };
    record([part]);
    await reporter.reportNew();
    await reporter.reportNew();
    record([part, { node: 99, offset: 0, length: 4096 }]);
    await reporter.reportNew();
    assert.deepEqual(told.map(([about]) => about), [`${pool.uuid}/two`, pool.uuid]);
    assert.match(told[0]![1], /^8192 bytes at 4096 of data cannot be used on red:/);
    assert.match(told[1]![1], /^4096 bytes at 0 of node 99 /);
  });
});

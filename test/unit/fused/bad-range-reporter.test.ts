import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { pidNamespace, startTimeOf } from '../../../src/famfs/fuse/session/processes.ts';
import { RECORD_VERSION, writeRecord } from '../../../src/famfs/fuse/session/session-record.ts';
import { BadRangeReporter } from '../../../src/fused/bad-range-reporter.ts';
import { tempDir } from '../../harness/temp.ts';

const pool = '11111111-2222-4333-8444-555555555555';

describe('bad parts', () => {
  it('are told of once, about the volume and the file they belong to, or about the pool', async () => {
    const hostDirectory = tempDir('bad');
    const directory = join(hostDirectory, 'mounts', pool);
    for (const volume of ['one', 'two']) {
      fs.mkdirSync(join(directory, volume), { recursive: true });
      fs.writeFileSync(join(directory, volume, 'data'), '');
    }
    const node = fs.statSync(join(directory, 'two/data')).ino;
    const self = { pid: process.pid, startTime: startTimeOf(process.pid)! };
    const record = (bad: readonly { node: number; offset: number; length: number }[]) => writeRecord({
      id: 'a', version: RECORD_VERSION, device: '/dev/x', directory, hostDirectory, readOnly: false, patienceMs: 0, poolUuid: pool, ...self,
      pidNamespace: pidNamespace(), child: self, mount: '0:7', agreement: { minor: 45, maxWrite: 4096, epoch: true, resend: true },
      problems: [], limitations: [], bad,
    });
    const stage = (name: string) => ({ volume: `${pool}/${name}`, path: '/x', access: {} as never, targets: [] });
    const told: [string, string][] = [];
    const reporter = new BadRangeReporter({
      hostDirectory, host: 'red', stages: { ofPool: async () => [stage('one'), stage('two'), stage('gone')] },
      notices: {
        pool: ({ pool: about, message }) => void told.push([about, message]),
        volume: ({ volume, message }) => void told.push([volume, message]),
      },
    });
    record([]);
    await reporter.reportNew();
    assert.equal(told.length, 0);
    const part = { node, offset: 4096, length: 8192 };
    record([part]);
    await reporter.reportNew();
    await reporter.reportNew();
    record([part, { node: 1, offset: 0, length: 4096 }]);
    await reporter.reportNew();
    assert.deepEqual(told.map(([about]) => about), [`${pool}/two`, pool]);
    assert.match(told[0]![1], /^8192 bytes at 4096 of data cannot be used on red:/);
    assert.match(told[1]![1], /^4096 bytes at 0 of node 1 /);
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { silentLog } from '../../../src/csi/log.ts';
import { ReplacedPools } from '../../../src/fused/replaced-pools.ts';
import { tempDir } from '../../harness/temp.ts';
import { PoolFixture } from '../../support/pool-fixture.ts';

describe('a pool that was formatted anew', () => {
  it('is told of once for each directory that was staged of it, by however many handles', async () => {
    const now = await PoolFixture.make(64 * 2 ** 20);
    after(() => now.close());
    const before = randomUUID();
    const told: string[] = [];
    const stage = (name: string) => ({ volume: `${before}/${name}`, path: '/x', access: {} as never, targets: [] });
    const hostDirectory = tempDir('replaced');
    const replaced = new ReplacedPools({
      host: 'red', hostDirectory, log: silentLog(),
      stages: { ofPool: async (pool) => (pool === before ? [stage('v//team-a'), stage('v'), stage('w//team-a'), stage('v//team-b')] : []) },
      notices: { pool: ({ pool }) => void told.push(pool), volume: ({ volume }) => void told.push(volume) },
    });
    await replaced.sessionEnded({ device: now.path, poolUuid: now.uuid, logLife: now.logLife, hostDirectory } as never);
    assert.deepEqual(told, []);
    await replaced.sessionEnded({ device: now.path, poolUuid: before, hostDirectory } as never);
    assert.deepEqual(told, [before, `${before}/v`, `${before}/w`]);
  });
});

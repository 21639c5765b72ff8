import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { refuse } from '../../../src/csi/errors.ts';
import { silentLog } from '../../../src/csi/log.ts';
import { PoolReaders } from '../../../src/fused/pool-reader.ts';
import { fusedOperations } from '../../../src/fused/service.ts';
import { Sessions } from '../../../src/fused/sessions.ts';
import { Stages } from '../../../src/state/stages.ts';
import { tempDir } from '../../harness/temp.ts';
import { PoolFixture } from '../../support/pool-fixture.ts';

describe('the control socket of a data plane', () => {
  it('tells what passes by itself apart from what needs a person', async () => {
    const pool = await PoolFixture.make(64 * 2 ** 20);
    const hostDirectory = tempDir('host');
    const sessions = new Sessions({
      pools: [{ name: 'p', device: pool.path }], hostDirectory,
      stages: new Stages(hostDirectory), log: silentLog(),
      replaced: { sessionEnded: () => Promise.resolve() },
      members: {
        register: async () => { throw refuse.unavailable('the API server does not answer'); },
        leave: async () => undefined,
      },
    });
    const { EnsureSession: ensure } = fusedOperations(sessions, new PoolReaders(), hostDirectory);
    await assert.rejects(async () => ensure!({ pool_uuid: pool.uuid, directory: '' }), { code: status.UNAVAILABLE, message: /API server/ });
    sessions.configure([{ name: 'p', device: pool.path }, { name: 'copy', device: pool.path }]);
    await assert.rejects(async () => ensure!({ pool_uuid: pool.uuid, directory: '' }), { code: status.FAILED_PRECONDITION, message: /same UUID/ });
    pool.close();
  });
});

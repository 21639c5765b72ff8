/** Commands in a container of the driver: they know their cluster, host and release from the environment. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { silentLog } from '../../src/csi/log.ts';
import { claimHeadStruct, recordOffset } from '../../src/famfs/format/claim-record.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { runWithEnvironment } from '../support/cli.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { grant, type Program, putUpSign } from './rights.ts';

describe('commands in a container of the driver', () => {
  let server: ApiServer;
  let namespace: string;
  let device: string;
  let clusterUuid: string;
  const driver = 'famfs.example.org';

  before(async () => {
    server = await apiServer();
    clusterUuid = (await server.api().core.readNamespace({ name: 'kube-system' })).metadata!.uid!;
  });
  beforeEach(async () => {
    namespace = await server.namespace();
    device = shmFile('pool');
  });

  /** The environment of a container with this program's account. */
  const container = (user: Program): Record<string, string> => ({
    KUBECONFIG: server.kubeconfigFile(user), FAMFS_CSI_KUBERNETES: namespace, FAMFS_CSI_NODE_ID: 'node-7',
    FAMFS_CSI_HOST_DIR: join(tempDir('host'), 'host'), FAMFS_CSI_DRIVER_NAME: driver,
  });
  const must = async (environment: Record<string, string>, ...args: string[]) => {
    const { code, out, err } = await runWithEnvironment(environment, ...args);
    assert.deepEqual([code, err], [0, '']);
    return out;
  };
  const ownerOf = (path: string) => {
    const pool = Pool.open(sourceOf(path), { writable: false });
    try {
      const head = claimHeadStruct.decode(Buffer.from(pool.memory.superblock.bytes), recordOffset(1));
      return { cluster: pool.systemUuid, host: head.holder.split('/')[0], writes: head.clusterUuid };
    } finally {
      pool.close();
    }
  };

  for (const user of ['controller', 'fused'] as const) {
    it(`format a pool for this cluster and write to it, without an option, with the rights of ${user}`, async () => {
      await grant(server, user, namespace);
      const environment = container(user);
      await must(environment, 'mkfs', device, '--simulate', '64MiB');
      await must(environment, 'mkdir', device, 'models');
      assert.deepEqual(ownerOf(device), { cluster: clusterUuid, host: 'node-7', writes: clusterUuid });
    });
  }

  it('release a host of this release and driver, without an option', async () => {
    await grant(server, 'controller', namespace);
    await putUpSign(server, namespace, driver);
    const { members } = openKubernetesState({ namespace, driver, log: silentLog(), api: server.api() });
    await members.register({ pool: randomUUID(), host: 'gone', bootId: 'b' });
    assert.match(await must(container('controller'), 'evict', 'gone', '--powered-off'), /^gone is no member any more/);
    assert.deepEqual(await members.list(), []);
  });

  it('say what the API server refuses, and what to say instead', async () => {
    const { code, err } = await runWithEnvironment(container('check'), 'mkfs', device, '--simulate', '64MiB');
    assert.equal(code, 1);
    assert.match(err, /^famfs-csi: the UUID of this cluster cannot be read: the API server answers 403: .*kube-system.*Say it with --cluster.*\n$/);
    await must(container('check'), 'mkfs', device, '--simulate', '64MiB', '--cluster', clusterUuid);
  });
});

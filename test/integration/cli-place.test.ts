/** Commands in an environment that says where they run: on which host, and of which cluster. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { claimHeadStruct, recordOffset } from '../../src/famfs/format/claim-record.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { runWithEnvironment } from '../support/cli.ts';

/** A kubeconfig whose API server is at this port. */
function kubeconfig(port: number): string {
  const file = join(tempDir('kube'), 'config');
  writeFileSync(file, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }], users: [{ name: 'u', user: { token: 't' } }],
  }));
  return file;
}

/** A server that takes connections and says nothing, and its port. */
async function silentServer(): Promise<{ silent: Server; port: number }> {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  return { silent, port: (silent.address() as AddressInfo).port };
}

describe('a command in an environment that says where it runs', () => {
  let device: string;
  let directory: string;
  let cluster: string;

  const holder = (epoch: number) => claimHeadStruct.decode(readFileSync(device), recordOffset(epoch)).holder;

  beforeEach(async () => {
    [device, directory, cluster] = [shmFile('pool'), tempDir('place'), randomUUID()];
    const { code, err } = await runWithEnvironment({}, 'mkfs', device, '--simulate', '64MiB', '--cluster', cluster);
    assert.equal(code, 0, err);
  });

  it('writes as the host of the environment, and keeps its lock in that host\'s directory', async () => {
    const hostDir = join(directory, 'host');
    const { code, err } = await runWithEnvironment({ FAMFS_CSI_NODE_ID: 'node-7', FAMFS_CSI_HOST_DIR: hostDir }, 'mkdir', device, 'a', '--cluster', cluster);
    assert.equal(code, 0, err);
    assert.match(holder(1), /^node-7\/[0-9a-f]{16}$/);
    assert.ok(existsSync(join(hostDir, 'writers')));
  });

  it('writes as its options say, whatever the environment says', async () => {
    const environment = { FAMFS_CSI_NODE_ID: 'node-7', FAMFS_CSI_HOST_DIR: join(directory, 'not'), FAMFS_CSI_KUBERNETES: 'famfs-system', KUBECONFIG: '/nowhere' };
    const options = ['--node-id', 'n', '--host-dir', join(directory, 'own')];
    const byCluster = await runWithEnvironment(environment, 'mkdir', device, 'a', ...options, '--cluster', cluster);
    assert.equal(byCluster.code, 0, byCluster.err);
    assert.match(holder(1), /^n\/[0-9a-f]{16}$/);
    assert.ok(!existsSync(join(directory, 'not')));
    const state = join(directory, 'state');
    const byState = await runWithEnvironment(environment, 'mkfs', device, '--force', ...options, '--state-dir', state);
    assert.equal(byState.code, 0, byState.err);
    assert.ok(existsSync(join(state, 'cluster-uuid')));
  });

  it('says that the API server cannot be reached, and what to say instead', async () => {
    const { silent, port } = await silentServer();
    await new Promise((resolve) => silent.close(resolve));
    const { code, err } = await runWithEnvironment({ FAMFS_CSI_KUBERNETES: 'famfs-system', KUBECONFIG: kubeconfig(port) }, 'mkdir', device, 'a');
    assert.equal(code, 1);
    assert.match(err, /^famfs-csi: the UUID of this cluster cannot be read: the API server cannot be reached: .*ECONNREFUSED.*Say it with --cluster.*\n$/);
  });

  it('says for what it waits while the API server is silent, and gives up', async () => {
    const { silent, port } = await silentServer();
    try {
      const { code, err } = await runWithEnvironment({ FAMFS_CSI_KUBERNETES: 'famfs-system', KUBECONFIG: kubeconfig(port) }, 'mkdir', device, 'a');
      assert.equal(code, 1);
      assert.match(err, /^famfs-csi: waiting for the API server .* at most\nfamfs-csi: .*: the API server does not answer\. Say it with --cluster.*\n$/);
    } finally {
      silent.close();
    }
  });
});

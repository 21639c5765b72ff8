/** Volumes that are in a pool, and that no PersistentVolume of the cluster names. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf } from '../../src/controller/layout/volume-layout.ts';
import { parseParameters } from '../../src/controller/layout/parameters.ts';
import { silentLog } from '../../src/csi/log.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { program } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';
import { AU, newPool, openWriter } from '../support/pools.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { grant } from './rights.ts';

const driver = 'orphans.example.org';

describe('volumes without PersistentVolume in Kubernetes', () => {
  let server: ApiServer;
  let namespace: string;
  let device: string;
  let uuid: string;

  before(async () => {
    server = await apiServer();
    namespace = await server.namespace();
    await grant(server, 'controller', namespace);
    device = await newPool();
    const { pool, writer, stop } = await openWriter(device);
    uuid = pool.uuid;
    for (const name of ['pvc-used', 'pvc-left']) {
      const record = { name, kind: 'volume', createdAt: Date.now() - 3_600_000, parameters: {}, capacity: AU };
      writer.create(entriesOf(name, AU, record, parseParameters({})));
    }
    stop();
  });

  const volume = (name: string, of: string, volumeHandle: string) => server.api().core.createPersistentVolume({
    body: { metadata: { name }, spec: { capacity: { storage: '2Mi' }, accessModes: ['ReadWriteMany'], csi: { driver: of, volumeHandle } } },
  });
  const orphans = (...args: string[]) => {
    const env = { ...process.env, KUBECONFIG: server.kubeconfigFile('controller') };
    const { status, stdout, stderr } = spawnSync(program, ['orphans', '--driver-name', driver, ...args], { env, encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  it('are named with the rights of the controller, and come back by what is printed', async () => {
    await volume('a-used', driver, `${uuid}/pvc-used`);
    await volume('a-of-another-driver', 'other.example.org', `${uuid}/pvc-left`);
    const state = openKubernetesState({ namespace, driver, log: silentLog(), api: server.api('controller') });
    assert.deepEqual(await state.persistentVolumes!.handles(), [`${uuid}/pvc-used`]);

    const handle = `${uuid}/pvc-left`;
    const poolsFile = join(tempDir('orphans'), 'pools.json');
    writeFileSync(poolsFile, JSON.stringify({ pools: [{ name: 'p0', device }] }));
    const { status, stdout, stderr } = orphans('--pools-file', poolsFile);
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`^2 MiB +1h0m +pvc-left +${handle}$`, 'm'));
    assert.ok(!stdout.includes('pvc-used'));

    assert.match(orphans(device, '--manifest', `${uuid}/pvc-used`).stderr, /is no volume without a PersistentVolume/);
    const { items: [restored, claim] } = JSON.parse(orphans(device, '--manifest', handle).stdout) as { items: object[] };
    await server.api().core.createPersistentVolume({ body: restored });
    await server.api().core.createNamespacedPersistentVolumeClaim({ namespace, body: claim });
    assert.equal(orphans(device).stdout, 'every volume has a PersistentVolume\n');
  });

  it('are named from a list, where nobody can ask the API server', async () => {
    const list = (items: object[]) => JSON.stringify({ kind: 'List', items });
    const from = (input: string) => spawnSync(program, ['orphans', device, '--driver-name', driver, '--json', '--persistent-volumes', '-'], { input, encoding: 'utf8' });
    const object = { kind: 'PersistentVolume', spec: { csi: { driver, volumeHandle: `${uuid}/pvc-left` } } };
    const named = JSON.parse(from(list([object])).stdout) as { handle: string; name: string; bytes: number }[];
    assert.deepEqual(named.map(({ handle, name, bytes }) => [handle, name, bytes]), [[`${uuid}/pvc-used`, 'pvc-used', AU]]);
    assert.match(from(list([{ kind: 'Pod' }])).stderr, /standard input is no list of PersistentVolumes: give it the output of "kubectl get pv -o json"/);
    assert.match(from('{"items": [').stderr, /standard input cannot be read as JSON/);
  });
});

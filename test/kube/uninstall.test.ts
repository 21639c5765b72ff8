import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { silentLog } from '../../src/csi/log.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { program } from '../harness/paths.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { defaultMembersNamespace } from '../../src/kube/names.ts';
import { grant, putUpSign } from './rights.ts';

describe('famfs-csi uninstall', () => {
  let server: ApiServer;
  let namespace: string;
  let driver: string;

  before(async () => { server = await apiServer(); });
  beforeEach(async () => {
    driver = `csi-${randomUUID().slice(0, 8)}.example.org`; // PersistentVolumes and nodes are common to all tests
    namespace = await server.namespace();
    await grant(server, 'check', namespace);
    await grant(server, 'clean', namespace);
  });

  const leasesIn = async (place: string) => (await server.api().coordination.listNamespacedLease({ namespace: place })).items;

  const pod = { name: 'hook', uid: randomUUID() };
  const run = (user: 'check' | 'clean', ...args: string[]) => new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = { ...process.env, KUBECONFIG: server.kubeconfigFile(user), POD_NAME: pod.name, POD_UID: pod.uid, POD_NAMESPACE: namespace };
    const all = ['uninstall', `--${user}`, `--kubernetes=${namespace}`, `--driver-name=${driver}`, ...args];
    execFile(program, all, { env }, (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }));
  });
  const state = () => openKubernetesState({ namespace, driver, log: silentLog(), api: server.api() });
  const makeVolume = async (handle: string, claim: string, of = driver) => {
    const name = `pv-${randomUUID().slice(0, 8)}`;
    await server.api().core.createPersistentVolume({
      body: {
        metadata: { name },
        spec: {
          accessModes: ['ReadWriteMany'], capacity: { storage: '4Mi' }, csi: { driver: of, volumeHandle: handle },
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claim },
        },
      },
    });
    return name;
  };
  const makePod = async (name: string, claim: string, nodeName?: string) => server.api().core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name, labels: { app: driver } },
      spec: {
        ...(nodeName === undefined ? {} : { nodeName }), containers: [{ name: 'c', image: 'none' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: claim } }],
      },
    },
  });

  it('is free to go on when no volume is in use, whatever volumes there are', async () => {
    await makeVolume('u/unused', 'unused');
    await makeVolume('u/foreign', 'foreign', 'other.example.org');
    await makePod('theirs', 'foreign', 'node-1');
    await makePod('waiting', 'unused');
    assert.deepEqual(await run('check'), { code: 0, out: `no volume of ${driver} is in use\n`, err: '' });
  });

  /** A node plugin's metrics, which tell one staged volume after the other, and the last for ever. */
  const plugin = async (...staged: number[]) => {
    const http = createServer((_request, response) => {
      response.end(`# TYPE famfs_node_staged_volumes gauge\nfamfs_node_staged_volumes ${staged.length > 1 ? staged.shift()! : staged[0]!}\n`);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    await makePod('plugin', 'none', 'node-7');
    await server.api().core.patchNamespacedPodStatus(
      { name: 'plugin', namespace, body: { status: { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
    return { close: () => http.close(), args: [`--selector=app=${driver}`, `--node-port=${(http.address() as AddressInfo).port}`] };
  };

  it('waits until nothing is staged on any node', async () => {
    const { args, close } = await plugin(2, 1, 0);
    try {
      assert.equal((await run('check', ...args)).code, 0);
    } finally {
      close();
    }
  });

  it('is refused with the names of nodes on which volumes stay staged', async () => {
    const { args, close } = await plugin(3);
    try {
      const { code, err } = await run('check', ...args);
      assert.equal(code, 1);
      assert.match(err, /node node-7 has 3 volumes staged/);
    } finally {
      close();
    }
  });

  it('asks no node plugin that is not there', async () => {
    const { args, close } = await plugin(3);
    close();
    assert.equal((await run('check', ...args)).code, 0);
  });

  it('is refused with the names of volumes that are attached or used by pods, also as an event', async () => {
    const attached = await makeVolume('u/attached', 'one');
    const used = await makeVolume('u/used', 'two');
    await makePod('user', 'two', 'node-2');
    await server.api().storage.createVolumeAttachment({
      body: { metadata: { name: `va-${randomUUID()}` }, spec: { attacher: driver, nodeName: 'node-1', source: { persistentVolumeName: attached } } },
    });
    const directory = `${randomUUID()}/recorded`;
    const shared = await makeVolume(`${directory}//team-b`, 'three');
    const recorded = { node: 'node-3', mode: 'MULTI_NODE_MULTI_WRITER' as const, readonly: false };
    const attachments = [{ ...recorded, volume: directory }, { ...recorded, volume: `${directory}//team-b`, node: 'node-4' }];
    await state().attachments.replace({ directory, epoch: 1, attachments }, undefined);
    const { code, err } = await run('check');
    assert.equal(code, 1);
    const lines = err.trim().split('\n').sort();
    assert.match(lines[0]!, /famfs-csi: .* has volumes in use \(4\)/);
    assert.deepEqual(lines.slice(1), [
      `volume ${directory} is on node node-3`,
      `volume ${directory}//team-b (PersistentVolume ${shared}, claim ${namespace}/three) is on node node-4`,
      `volume u/attached (PersistentVolume ${attached}, claim ${namespace}/one) is on node node-1`,
      `volume u/used (PersistentVolume ${used}, claim ${namespace}/two) is on node node-2, used by pod ${namespace}/user`,
    ]);
    const [event] = (await server.api().core.listNamespacedEvent({ namespace })).items;
    assert.deepEqual([event?.reason, event?.involvedObject.uid], ['VolumesInUse', pod.uid]);
    assert.match(event?.message ?? '', /u\/attached.*u\/used/);
  });

  it('removes afterwards what is ours, and nothing else', async () => {
    const other = 'other.example.org';
    await putUpSign(server, namespace, driver);
    await putUpSign(server, namespace, other);
    const label = `${driver}/pool-${randomUUID()}`;
    const node = `node-${randomUUID()}`;
    await server.api().core.createNode({ body: { metadata: { name: node, labels: { [label]: 'true', kept: 'yes' } } } });
    const silent = { pool: randomUUID(), host: node, bootId: 'b' };
    await state().members.register(silent);
    const ready = `node-${randomUUID()}`;
    await server.api().core.createNode({ body: { metadata: { name: ready } } });
    const made = await server.api().core.readNode({ name: ready });
    await server.api().core.replaceNodeStatus({ name: ready, body: { ...made, status: { conditions: [{ type: 'Ready', status: 'True' }] } } });
    await state().members.register({ ...silent, host: ready });
    await (await state().acquireLease()).release();
    await openKubernetesState({ namespace, driver: other, log: silentLog(), api: server.api() }).members.register({ pool: 'p', host: 'h', bootId: 'b' });
    const { code, out, err } = await run('clean', `--selector=app=${driver}`);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /removed Lease .*-controller\n/);
    assert.match(out, new RegExp(`removed labels of node ${node}: ${label}`));
    assert.match(out, new RegExp(`kept Lease .*: ${node} has not left pool ${silent.pool}: what was deleted there waits for it`));
    assert.match(out, /kept Lease .*-members-moved: versions that would not find these members give no memory back/);
    assert.deepEqual(await state().members.list(), [silent]);
    await state().members.leave(silent.pool, silent.host);
    const driversOf = async (place: string) => (await leasesIn(place)).map(({ metadata }) => metadata?.labels?.['famfs.io/driver']);
    assert.deepEqual(await driversOf(defaultMembersNamespace(namespace)), [other]);
    assert.deepEqual((await server.api().core.readNode({ name: node })).metadata?.labels, { kept: 'yes' });
    const sign = `${driver}-members-moved`;
    assert.deepEqual(await run('clean', `--selector=app=${driver}`), { code: 0, out: `removed Lease ${sign}\n`, err: '' }, 'it stays as long as a member does');
    assert.deepEqual(await driversOf(namespace), [other]);
    assert.deepEqual(await run('clean', `--selector=app=${driver}`), { code: 0, out: '', err: '' });
  });

  it('waits for the release\'s pods to end before it removes anything', async () => {
    await (await state().acquireLease()).release();
    await makePod('ending', 'none', 'node-9');
    const cleaning = run('clean', `--selector=app=${driver}`);
    let ended = false;
    void cleaning.then(() => { ended = true; });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assert.ok(!ended);
    assert.equal((await leasesIn(namespace)).length, 1);
    await server.api().core.deleteNamespacedPod({ name: 'ending', namespace, body: { gracePeriodSeconds: 0 } });
    assert.equal((await cleaning).code, 0);
    assert.equal((await leasesIn(namespace)).length, 0);
  });

  it('keeps a member record that is nobody\'s, whatever ready node it names', async () => {
    await putUpSign(server, namespace, driver);
    const ready = `node-${randomUUID()}`;
    const made = await server.api().core.createNode({ body: { metadata: { name: ready } } });
    await server.api().core.replaceNodeStatus({ name: ready, body: { ...made, status: { conditions: [{ type: 'Ready', status: 'True' }] } } });
    await state().members.register({ pool: randomUUID(), host: 'off', bootId: 'b' });
    const place = defaultMembersNamespace(namespace);
    const [lease] = await leasesIn(place);
    lease!.metadata!.labels!['famfs.io/node'] = ready;
    lease!.metadata!.annotations!['famfs.io/record'] = JSON.stringify({ pool: 'p', host: ready, bootId: 'b' });
    await server.api().coordination.replaceNamespacedLease({ name: lease!.metadata!.name!, namespace: place, body: lease! });
    const { code, out } = await run('clean', `--selector=app=${driver}`);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`kept Lease .*: nobody .* with the label of node ${ready}.*: memory of every pool waits for it`));
    assert.equal((await leasesIn(place)).length, 1);
  });

  it('names what it may not remove', async () => {
    await putUpSign(server, namespace, driver);
    await state().members.register({ pool: randomUUID(), host: 'h', bootId: 'b' });
    const { code, err } = await new Promise<{ code: number; err: string }>((resolve) => {
      const env = { ...process.env, KUBECONFIG: server.kubeconfigFile('check') };
      const args = ['uninstall', '--clean', `--kubernetes=${namespace}`, `--driver-name=${driver}`];
      execFile(program, args, { env }, (error, _out, text) => resolve({ code: error ? Number(error.code) : 0, err: text }));
    });
    assert.equal(code, 1);
    assert.match(err, /^famfs-csi: the API server answers 403: .* is forbidden.*check.*\n$/);
  });
});

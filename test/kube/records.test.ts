import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { silentLog } from '../../src/csi/log.ts';
import { hostPart } from '../../src/famfs/writer/claim/writer-lock.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { KubernetesHosts } from '../../src/kube/records.ts';
import type { AttachRecord, ClusterState, Member } from '../../src/state/interfaces.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { Line } from './line.ts';
import { grant, putUpSign } from './rights.ts';

const driver = `${'a'.repeat(50)}.example.org`; // as long as a driver's name may be, nearly

describe('records in Kubernetes', () => {
  let server: ApiServer;
  let namespace: string;
  let state: ClusterState;

  before(async () => { server = await apiServer(); });
  beforeEach(async () => {
    namespace = await server.namespace();
    await grant(server, 'controller', namespace);
    await grant(server, 'fused', namespace);
    state = openKubernetesState({ namespace, driver, log: silentLog(), api: server.api('controller') });
  });

  const volume = `${randomUUID()}/${'v'.repeat(80)}`;
  const record = (epoch: number, ...nodes: string[]): AttachRecord => (
    { directory: volume, epoch, attachments: nodes.map((node) => ({ volume, node, mode: 'MULTI_NODE_MULTI_WRITER', readonly: false })) });

  it('tell where a volume is attached, and are gone when it is nowhere', async () => {
    const { attachments } = state;
    assert.equal(await attachments.get(volume), undefined);
    assert.ok(await attachments.replace(record(1, 'n'.repeat(253)), undefined));
    assert.deepEqual(await attachments.list(), [record(1, 'n'.repeat(253))]);
    const { value, version } = (await attachments.get(volume))!;
    assert.deepEqual(value, record(1, 'n'.repeat(253)));
    assert.ok(await attachments.replace(record(1), version));
    assert.equal(await attachments.get(volume), undefined);
    assert.deepEqual(await attachments.list(), []);
  });

  it('are one for all handles of a directory, and keep each handle', async () => {
    const { attachments } = state;
    const all = { ...record(1, 'a', 'b'), attachments: [...record(1, 'a', 'b').attachments, { volume: `${volume}//x`, node: 'a', mode: 'MULTI_NODE_READER_ONLY', readonly: true }] } as const;
    assert.ok(await attachments.replace(all, undefined));
    assert.deepEqual(await attachments.list(), [all]);
    assert.deepEqual((await attachments.get(volume))?.value, all);
    assert.equal((await server.api().coordination.listNamespacedLease({ namespace })).items.length, 1);
  });

  it('are replaced by whoever has seen the latest version, and never by a former controller', async () => {
    const { attachments } = state;
    assert.ok(await attachments.replace(record(2, 'a'), undefined));
    assert.ok(!await attachments.replace(record(2, 'b'), undefined));
    const first = (await attachments.get(volume))!.version;
    const races = await Promise.all(['b', 'c', 'd'].map((node) => attachments.replace(record(2, node), first)));
    assert.equal(races.filter(Boolean).length, 1);
    const second = (await attachments.get(volume))!;
    assert.notEqual(second.version, first);
    assert.ok(!await attachments.replace(record(1), second.version), 'epoch 1 undid what epoch 2 wrote');
    assert.ok(!await attachments.replace(record(2), first));
    assert.ok(await attachments.replace(record(3), second.version));
    assert.ok(await attachments.replace(record(3), undefined));
    assert.ok(!await attachments.replace(record(3), second.version));
  });

  it('tell nothing rather than something wrong when somebody has emptied one', async () => {
    const { attachments } = state;
    await attachments.replace(record(1, 'a'), undefined);
    const { coordination } = server.api();
    const [lease] = (await coordination.listNamespacedLease({ namespace })).items;
    lease!.metadata!.annotations = {};
    await coordination.replaceNamespacedLease({ name: lease!.metadata!.name!, namespace, body: lease! });
    await assert.rejects(attachments.get(volume), /holds no record in its annotation famfs\.io\/record/);
  });

  it('remember which file system each pool of the configuration is', async () => {
    const { poolNames } = state;
    const [name, other] = ['p'.repeat(63), 'p0'];
    const [a, b] = [randomUUID(), randomUUID()];
    await poolNames.put({ name, uuid: a });
    await poolNames.put({ name: other, uuid: b });
    await poolNames.put({ name, uuid: b });
    assert.deepEqual((await poolNames.list()).sort((x, y) => x.name.length - y.name.length), [{ name: other, uuid: b }, { name, uuid: b }]);
    await poolNames.forget(name);
    await poolNames.forget(name);
    assert.deepEqual(await poolNames.list(), [{ name: other, uuid: b }]);
  });

  it('keep the members of a pool, as the data plane of each host writes them', async () => {
    await putUpSign(server, namespace, driver);
    const { members } = openKubernetesState({ namespace, driver, log: silentLog(), api: server.api('fused') });
    const pool = randomUUID();
    const one: Member = { pool, host: 'h'.repeat(253), bootId: 'first' };
    await members.register(one);
    await members.register(one);
    await members.register({ ...one, host: 'other' });
    await members.register({ ...one, bootId: 'second' });
    await members.register({ ...one, pool: randomUUID() });
    const found = await state.members.list(pool);
    assert.deepEqual(found.map(({ bootId }) => bootId).sort(), ['first', 'second']);
    await members.leave(pool, 'other');
    await members.leave(pool, 'never there');
    const second = { ...one, bootId: 'second' };
    assert.deepEqual(await state.members.list(pool), [second]);
    await members.register({ ...second, acknowledged: '17' });
    assert.equal(await state.members.release(second), false, 'it has changed since');
    assert.equal(await state.members.release({ ...second, acknowledged: '17' }), true);
    assert.equal(await state.members.release(second), true, 'it is not there');
    assert.deepEqual(await state.members.list(pool), []);
  });

  it('know a host to be gone by its boot id and by the taint of an operator, and not by its silence', async () => {
    const { core } = server.api();
    const name = `node-${randomUUID()}.${'long'.repeat(8)}`;
    const impatient = new KubernetesHosts(server.api(), 0);
    assert.equal(await state.hosts.whyGone(name, 'one'), undefined, 'a node that somebody deleted may be running');
    await core.createNode({ body: { metadata: { name } } });
    assert.equal(await state.hosts.whyGone(name, 'one'), undefined);
    const node = await core.readNode({ name });
    const info = { architecture: '', containerRuntimeVersion: '', kernelVersion: '', kubeProxyVersion: '', kubeletVersion: '', machineID: '', operatingSystem: '', osImage: '', systemUUID: '' };
    await core.replaceNodeStatus({ name, body: { ...node, status: { nodeInfo: { ...info, bootID: 'one' } } } });
    assert.equal(await state.hosts.whyGone(name, 'one'), undefined);
    assert.equal(await state.hosts.whyGone(name, 'another'), undefined, 'its object may lag behind');
    assert.match(await impatient.whyGone(name, 'another') ?? '', /has booted since/);
    const tainted = await core.readNode({ name });
    tainted.spec = { taints: [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }] };
    await core.replaceNode({ name, body: tainted });
    assert.match(await state.hosts.whyGone(name, 'one') ?? '', /out-of-service/);
    assert.match(await state.hosts.whyGone(hostPart(name), 'one') ?? '', /out-of-service/);
    assert.equal(await state.hosts.whyGone(hostPart('n'.repeat(60)), 'one'), undefined);
  });

  it('know a node by its CSINode', async () => {
    const { storage, core } = server.api();
    const name = `node-${randomUUID()}`;
    assert.equal(await state.nodes.has(name), false);
    await core.createNode({ body: { metadata: { name } } });
    await storage.createCSINode({ body: { metadata: { name }, spec: { drivers: [{ name: 'other', nodeID: name }] } } });
    assert.equal(await state.nodes.has(name), false);
    const asked = state.nodes.has(name); // while the node plugin registers
    const found = await storage.readCSINode({ name });
    found.spec.drivers.push({ name: driver, nodeID: name });
    await storage.replaceCSINode({ name, body: found });
    assert.equal(await asked, true);
  });

  it('name the cluster by the UID of kube-system', async () => {
    const uid = (await server.api().core.readNamespace({ name: 'kube-system' })).metadata?.uid;
    assert.equal(await state.clusterUuid(), uid);
  });

  it('are UNAVAILABLE while the API server cannot be reached, and with the reason', async () => {
    const line = await Line.to(server.port);
    line.refuse();
    const far = openKubernetesState({ namespace, driver, log: silentLog(), api: server.api('controller', line.port) });
    await assert.rejects(far.attachments.get(volume), { code: status.UNAVAILABLE, message: /the API server cannot be reached/ });
    await assert.rejects(far.attachments.replace(record(1, 'a'), undefined), { code: status.UNAVAILABLE });
    await assert.rejects(far.nodes.has('n'), { code: status.UNAVAILABLE });
    await line.close();
  });

  it('say what is forbidden', async () => {
    const other = openKubernetesState({ namespace: 'default', driver, log: silentLog(), api: server.api('fused') });
    await assert.rejects(other.members.list('p'), /answers 403: leases\.coordination\.k8s\.io .*is forbidden.*fused/);
  });
});

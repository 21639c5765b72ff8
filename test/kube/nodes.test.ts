import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { AdmissionregistrationV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { silentLog } from '../../src/csi/log.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { Names } from '../../src/kube/names.ts';
import { NodeReconciler } from '../../src/kube/node-reconciler.ts';
import { until } from '../support/until.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { Line } from './line.ts';
import { grant } from './rights.ts';

const driver = 'csi.example.org';
const [poolA, poolB] = [`${driver}/pool-${randomUUID()}`, `${driver}/pool-${randomUUID()}`];
const taint = { key: `${driver}/agent-not-ready`, value: 'x', effect: 'NoSchedule' };
const otherTaint = { key: 'other.example.org/busy', value: 'y', effect: 'NoSchedule' };

describe('care for nodes', () => {
  let server: ApiServer;
  let line: Line;
  let ending: AbortController;

  before(async () => {
    server = await apiServer();
    await grant(server, 'controller', await server.namespace());
  });
  beforeEach(async () => {
    line = await Line.to(server.port);
    ending = new AbortController();
    const state = openKubernetesState({ namespace: 'default', driver, log: silentLog(), api: server.api('controller', line.port) });
    state.startLeaderTasks({ explain: () => undefined }, ending.signal);
  });
  afterEach(async () => {
    ending.abort();
    await line.close();
  });

  const makeNode = async (labels: Record<string, string> = {}) => {
    const name = `node-${randomUUID()}`;
    await server.api().core.createNode({ body: { metadata: { name, labels: { kept: 'yes', ...labels } }, spec: { taints: [taint, otherTaint] } } });
    return name;
  };
  const register = (name: string, ...topologyKeys: string[]) => server.api().storage.createCSINode({
    body: { metadata: { name }, spec: { drivers: [{ name: driver, nodeID: name, topologyKeys }] } },
  });
  const read = async (name: string) => {
    const { metadata, spec } = await server.api().core.readNode({ name });
    return { labels: metadata?.labels, taints: (spec?.taints ?? []).map(({ key }) => key).filter((key) => !key.startsWith('node.kubernetes.io/')) };
  };
  const isFree = async (name: string) => assert.deepEqual((await read(name)).taints, [otherTaint.key]);

  it('takes the start-up taint away once the node plugin has registered, and no other', async () => {
    const [waiting, ready] = [await makeNode(), await makeNode()];
    await register(ready, poolA);
    await until(() => isFree(ready));
    assert.deepEqual((await read(waiting)).taints.sort(), [taint.key, otherTaint.key].sort());
    await register(waiting, poolA);
    await until(() => isFree(waiting));
  });

  it('takes the label of a pool away that the node has lost, and leaves one that it is just getting', async () => {
    const name = await makeNode({ [poolA]: 'true', [poolB]: 'true' });
    const getting = await makeNode({ [poolA]: 'true' });
    const unregistered = await makeNode({ [poolA]: 'true' });
    await register(name, poolB);
    await register(getting);
    await until(() => isFree(getting)); // it has been looked at, and its label stands: the kubelet sets the key afterwards
    await server.api().storage.deleteCSINode({ name: getting });
    await register(getting, poolA);
    await until(async () => assert.deepEqual((await read(name)).labels, { kept: 'yes', [poolB]: 'true' }));
    assert.deepEqual((await read(getting)).labels, { kept: 'yes', [poolA]: 'true' });
    assert.deepEqual((await read(unregistered)).labels, { kept: 'yes', [poolA]: 'true' });
  });

  it('takes the labels of a node away whose plugin stays away, and none of one that comes back', async () => {
    const gone = await makeNode({ [poolA]: 'true' });
    const never = await makeNode({ [poolA]: 'true', [poolB]: 'true' });
    await register(gone, poolA);
    await until(() => isFree(gone));
    ending.abort();
    const there = new AbortController();
    try {
      const absentMs = 5_000;
      new NodeReconciler(server.api('controller', line.port), new Names(driver), silentLog(), absentMs).start(there.signal);
      await server.api().storage.deleteCSINode({ name: gone });
      await server.api().storage.createCSINode({ body: { metadata: { name: gone }, spec: { drivers: [] } } });
      const back = await makeNode({ [poolA]: 'true' });
      await register(back, poolA);
      await until(async () => assert.deepEqual((await read(gone)).labels, { kept: 'yes' }));
      await until(async () => assert.deepEqual((await read(never)).labels, { kept: 'yes' }));
      assert.deepEqual((await read(back)).labels, { kept: 'yes', [poolA]: 'true' });
    } finally {
      there.abort();
    }
  });

  it('goes on with the other nodes where one may not be changed', async () => {
    const admission = server.api().config.makeApiClient(AdmissionregistrationV1Api);
    const name = `protect-${randomUUID()}`;
    const fixed = await makeNode({ fixed: 'true' });
    await admission.createValidatingAdmissionPolicy({
      body: {
        metadata: { name },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['nodes'] }] },
          validations: [{ expression: "!('fixed' in oldObject.metadata.labels)" }],
        },
      },
    });
    await admission.createValidatingAdmissionPolicyBinding({ body: { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } } });
    try {
      const body = { metadata: { labels: { kept: 'no' } } };
      await until(() => assert.rejects(server.api().core.patchNode({ name: fixed, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))));
      await register(fixed, poolA);
      const other = await makeNode();
      await register(other, poolA);
      await until(() => isFree(other));
      assert.ok((await read(fixed)).taints.includes(taint.key));
    } finally {
      await admission.deleteValidatingAdmissionPolicyBinding({ name });
      await admission.deleteValidatingAdmissionPolicy({ name });
    }
  });

  it('goes on after the API server was away', async () => {
    const before = await makeNode();
    await register(before, poolA);
    await until(() => isFree(before));
    line.refuse();
    const during = await makeNode();
    await register(during, poolA);
    line.restore();
    await until(() => isFree(during));
    const after = await makeNode();
    await register(after, poolA);
    await until(() => isFree(after));
  });
});

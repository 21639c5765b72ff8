/** What a token of the data plane can do: the chart's accounts, rights and policies, and tokens as the kubelet gets them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { silentLog } from '../../src/csi/log.ts';
import { statusOf, type KubeApi } from '../../src/kube/client.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { LeaseRecords } from '../../src/kube/lease-records.ts';
import { defaultMembersNamespace, Names } from '../../src/kube/names.ts';
import type { Member, Members } from '../../src/state/interfaces.ts';
import { render } from '../chart/support.ts';
import { until } from '../support/until.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { putUpSign } from './rights.ts';

const driver = 'csi.famfs.io';
const names = new Names(driver);
const kinds = ['Namespace', 'ServiceAccount', 'Role', 'RoleBinding', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'];

describe('a token of the data plane', function () {
  this.timeout(20 * 60_000); // helm may have to be built
  let server: ApiServer;
  let namespace: string;
  const suffix = randomUUID().slice(0, 8);
  const own = `node-a.${suffix}`;
  const other = `node-b.${suffix}`;

  before(async () => {
    server = await apiServer();
    for (const name of [own, other]) await server.api().core.createNode({ body: { metadata: { name } } });
  });

  const place = () => defaultMembersNamespace(namespace);
  const pool = randomUUID();
  const member = (host: string, acknowledged?: string): Member => ({ pool, host, bootId: 'b', ...(acknowledged === undefined ? {} : { acknowledged }) });
  const nameOf = (host: string) => names.member(pool, host);

  /** The release's objects that say who may do what. */
  async function install(values: Record<string, unknown>): Promise<void> {
    namespace = await server.namespace();
    const objects = KubernetesObjectApi.makeApiClient(server.api().config);
    const wanted = render({ namespace, values, apis: ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy'] })
      .filter(({ kind, metadata }) => kinds.includes(kind) && metadata.annotations?.['helm.sh/hook'] === undefined);
    for (const kind of kinds) {
      for (const object of wanted.filter((each) => each.kind === kind)) {
        const metadata = kind === 'Namespace' || kind.startsWith('Validating') ? object.metadata : { namespace, ...object.metadata };
        await objects.create({ ...object, metadata } as KubernetesObject);
      }
    }
    await putUpSign(server, namespace, driver);
  }

  /** As the pod of an account on a node: its token is bound to it, as the kubelet's requests are. */
  async function apiOn(node: string, account: string): Promise<KubeApi> {
    const { core } = server.api();
    const name = `pod-${randomUUID().slice(0, 8)}`;
    const pod = await core.createNamespacedPod({
      namespace, body: { metadata: { name }, spec: { nodeName: node, serviceAccountName: account, containers: [{ name: 'c', image: 'none' }] } },
    });
    return server.apiWith(await tokenOf(account, { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata!.uid! }));
  }

  async function tokenOf(account: string, boundObjectRef?: { apiVersion: string; kind: string; name: string; uid: string }): Promise<string> {
    const { status } = await server.api().core.createNamespacedServiceAccountToken({
      name: account, namespace, body: { spec: { audiences: [], ...(boundObjectRef === undefined ? {} : { boundObjectRef }) } },
    });
    return status!.token!;
  }

  /** A policy counts from when the server has noticed it. */
  async function untilHeld(api: KubeApi, where: string): Promise<void> {
    const forged = { namespace: where, dryRun: 'All', body: { metadata: { name: 'forged' } } };
    await until(() => assert.rejects(api.coordination.createNamespacedLease(forged), /a data plane writes the member records of its own node only/));
  }

  const membersOf = (api: KubeApi): Members => openKubernetesState({ namespace, driver, log: silentLog(), api }).members;
  const recordsOf = (api: KubeApi, where: string) => new LeaseRecords<Member>(api, where, names, 'member');
  const marks = (node: string) => ({ labels: { 'famfs.io/node': node } });
  const policySays = /answers 4(03|22): .*a data plane writes the member records of its own node only, which is node-a/;
  const leaseOf = (node: string, where: string) => server.api().coordination.readNamespacedLease({ name: nameOf(node), namespace: where });

  describe('of this version', () => {
    const account = 'famfs-famfs-csi-data-plane';
    let api: KubeApi;
    let records: LeaseRecords<Member>;
    let leases: KubeApi['coordination'];

    before(async () => {
      await install({});
      api = await apiOn(own, account);
      leases = api.coordination;
      records = recordsOf(api, place());
      await membersOf(await apiOn(other, account)).register(member(other, '3'));
      await untilHeld(api, place());
    });

    it('writes the records of its own node', async () => {
      const members = membersOf(api);
      await members.register(member(own));
      await members.register(member(own, '9'));
      assert.deepEqual((await members.list(pool)).map(({ host }) => host).sort(), [own, other].sort());
      await members.leave(pool, own);
      assert.deepEqual(await members.list(pool), [member(other, '3')]);
    });

    it('is refused when it changes, takes over or removes the record of another node', async () => {
      const before = await leaseOf(other, place());
      const { version } = (await records.get(nameOf(other)))!;
      await assert.rejects(records.replace(nameOf(other), member(other, '99'), version, marks(other)), policySays);
      await assert.rejects(records.replace(nameOf(other), member(own, '99'), version, marks(own)), policySays, 'with its own label');
      await assert.rejects(records.replace(nameOf(other), member(other, '99'), version), policySays, 'without a label');
      await assert.rejects(records.delete(nameOf(other)), policySays);
      await assert.rejects(records.delete(nameOf(other), version), policySays);
      await assert.rejects(leases.deleteCollectionNamespacedLease({ namespace: place() }), (error) => statusOf(error) === 403);
      assert.deepEqual(await leaseOf(other, place()), before);
    });

    it('is refused when it makes a record in the name of another node', async () => {
      await server.api().coordination.deleteNamespacedLease({ name: nameOf(other), namespace: place() });
      await assert.rejects(records.create(nameOf(other), member(other, '99'), marks(other)), policySays);
      await assert.rejects(records.create(nameOf(other), member(other, '99')), policySays, 'without a label');
      await membersOf(await apiOn(other, account)).register(member(other, '3'));
    });

    it('writes no Lease of the release: neither the controller\'s, nor attach records, nor the sign', async () => {
      const { coordination } = server.api();
      for (const name of [names.controllerLease, names.attachment('a/b')]) await coordination.createNamespacedLease({ namespace, body: { metadata: { name } } });
      for (const name of [names.controllerLease, names.attachment('a/b'), names.membersSign]) {
        const body = await leases.readNamespacedLease({ name, namespace });
        const isForbidden = (error: unknown) => statusOf(error) === 403;
        await assert.rejects(leases.replaceNamespacedLease({ name, namespace, body }), isForbidden, name);
        await assert.rejects(leases.deleteNamespacedLease({ name, namespace }), isForbidden, name);
        await assert.rejects(leases.createNamespacedLease({ namespace, body: { metadata: { name: `new-${name}` } } }), isForbidden, name);
      }
    });

    it('writes nothing when it is bound to no node', async () => {
      const unbound = recordsOf(server.apiWith(await tokenOf(account)), place());
      await assert.rejects(unbound.create(nameOf('any'), member('any'), marks('any')), /the token names no node/);
      await assert.rejects(unbound.delete(nameOf(other)), /the token names no node/);
    });

    it('leaves what the controller and an operator do alone', async () => {
      const controller = await apiOn(own, 'famfs-famfs-csi-controller');
      assert.equal(await membersOf(controller).release(member(other, '3')), true);
    });

    it('is held to a long name of its node as far as a label goes', async () => {
      const long = `${'n'.repeat(70)}.${suffix}`;
      await server.api().core.createNode({ body: { metadata: { name: long } } });
      const members = membersOf(await apiOn(long, account));
      await members.register(member(long));
      assert.deepEqual((await members.list(pool)).map(({ host }) => host), [long]);
      await members.leave(pool, long);
    });
  });

  describe('of an earlier version', () => {
    const account = 'famfs-famfs-csi-fused';
    let api: KubeApi;
    let records: LeaseRecords<Member>;

    before(async () => {
      await install({ 'members.earlierDataPlanes': true });
      api = await apiOn(own, account);
      records = recordsOf(api, namespace);
      const theirs = recordsOf(await apiOn(other, account), namespace);
      assert.ok(await theirs.create(nameOf(other), member(other, '3')));
      await untilHeld(api, namespace);
    });

    it('writes the records of its own node where it always did', async () => {
      assert.ok(await records.create(nameOf(own), member(own)));
      assert.ok(await records.replace(nameOf(own), member(own, '9'), (await records.get(nameOf(own)))!.version));
      assert.ok(await records.delete(nameOf(own)));
    });

    it('is refused when it writes or removes anything else', async () => {
      const { coordination } = server.api();
      const body = await coordination.createNamespacedLease({ namespace, body: { metadata: { name: names.controllerLease, labels: names.labels('controller') } } });
      const { version } = (await records.get(nameOf(other)))!;
      const before = await leaseOf(other, namespace);
      const quoting = { ...member(own), bootId: `b","host":"${other}` };
      const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
        ['another node\'s', () => records.replace(nameOf(other), member(other, '99'), version)],
        ['another node\'s, with its own record', () => records.replace(nameOf(other), member(own, '99'), version)],
        ['another node\'s away', () => records.delete(nameOf(other), version)],
        ['quotes in a field', () => records.create(nameOf(own), quoting)],
        ['an attach record', () => new LeaseRecords(api, namespace, names, 'attachment').create(names.attachment('a/b'), member(own))],
        ['the sign away', () => records.delete(names.membersSign)],
        ['the controller\'s lease away', () => records.delete(names.controllerLease)],
        ['the controller\'s lease', () => api.coordination.replaceNamespacedLease({ name: names.controllerLease, namespace, body })],
      ];
      for (const [what, attempt] of attempts) await assert.rejects(async () => attempt(), /a data plane writes the member records of its own node only/, what);
      const raw = { metadata: { name: nameOf(own), labels: names.labels('member'), annotations: { 'famfs.io/record': `{"pool":"${pool}","host":"${own}","bootId":"b","host":"${other}"}` } } };
      await assert.rejects(api.coordination.createNamespacedLease({ namespace, body: raw }), /of its own node only/, 'a field twice');
      assert.deepEqual(await leaseOf(other, namespace), before);
    });

    it('has no right where members of this version are', async () => {
      await assert.rejects(recordsOf(api, place()).create(nameOf(own), member(own), marks(own)), /403: leases\.coordination\.k8s\.io is forbidden/);
    });
  });
});

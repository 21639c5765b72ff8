/** Members in a namespace of their own, beside those of earlier versions in the release's. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { silentLog } from '../../src/csi/log.ts';
import { Membership } from '../../src/fused/membership.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { LeaseRecords } from '../../src/kube/lease-records.ts';
import { defaultMembersNamespace, Names } from '../../src/kube/names.ts';
import type { ClusterState, Member } from '../../src/state/interfaces.ts';
import { program } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';
import { until } from '../support/until.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { grant, putUpSign } from './rights.ts';

const driver = 'csi.example.org';
const names = new Names(driver);

describe('members in Kubernetes', () => {
  let server: ApiServer;
  let namespace: string;
  let controller: ClusterState;
  let fused: ClusterState;
  /** Records as a data plane of an earlier version writes them. */
  let earlier: LeaseRecords<Member>;
  let ending: AbortController;

  before(async () => { server = await apiServer(); });
  beforeEach(async () => {
    namespace = await server.namespace();
    await grant(server, 'controller', namespace);
    await grant(server, 'fused', namespace);
    const options = { namespace, driver, log: silentLog() };
    controller = openKubernetesState({ ...options, api: server.api('controller') });
    fused = openKubernetesState({ ...options, api: server.api('fused') });
    earlier = new LeaseRecords(server.api(), namespace, names, 'member');
    ending = new AbortController();
  });
  afterEach(() => ending.abort());

  const pool = randomUUID();
  const member = (host: string, acknowledged?: string): Member => ({ pool, host, bootId: 'b', ...(acknowledged === undefined ? {} : { acknowledged }) });
  const lead = () => controller.startLeaderTasks({ explain: () => undefined }, ending.signal);
  const sign = () => putUpSign(server, namespace, driver);
  const place = () => defaultMembersNamespace(namespace);
  const leases = async (where: string) => (await server.api().coordination.listNamespacedLease({ namespace: where })).items;
  const nameOf = ({ host }: Member) => names.member(pool, host);
  const listed = async () => (await controller.members.list(pool)).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  const change = async (where: string, name: string, edit: (metadata: { labels?: Record<string, string>; annotations?: Record<string, string> }) => void) => {
    const body = await server.api().coordination.readNamespacedLease({ name, namespace: where });
    edit(body.metadata!);
    await server.api().coordination.replaceNamespacedLease({ name, namespace: where, body });
  };

  it('are read in both places, and one that is in both counts with both records', async () => {
    await sign();
    await earlier.create(nameOf(member('old')), member('old', '3'));
    await earlier.create(nameOf(member('both')), member('both', '3'));
    await fused.members.register(member('both', '9'));
    await fused.members.register(member('new'));
    assert.deepEqual(await listed(), [member('both', '3'), member('both', '9'), member('new'), member('old', '3')]);
  });

  it('register only when earlier controllers give no memory back any more', async () => {
    await assert.rejects(fused.members.register(member('a')), { code: status.UNAVAILABLE, message: /members-moved is not there yet/ });
    assert.deepEqual(await leases(place()), []);
    lead();
    await until(() => fused.members.register(member('a')));
    assert.deepEqual(await listed(), [member('a')]);
    await assert.rejects(earlier.list(), /members-moved holds no record/, 'an earlier controller finds members and takes them for all');
  });

  it('are not known while nobody has said where they are, or when somebody says otherwise', async () => {
    await assert.rejects(controller.members.list(pool), { code: status.UNAVAILABLE, message: /is not there yet/ });
    await sign();
    const elsewhere = openKubernetesState({ namespace, membersNamespace: 'elsewhere', driver, log: silentLog(), api: server.api() });
    await assert.rejects(elsewhere.members.list(pool), { code: status.UNAVAILABLE, message: /says that members are in namespace .*-members, and this process was told elsewhere/ });
    await assert.rejects(elsewhere.members.register(member('a')), { code: status.UNAVAILABLE });
  });

  it('are not known after their namespace was deleted, until the operator says that all are back', async () => {
    await sign();
    await fused.members.register(member('a'));
    // No controller of Kubernetes is here: the deletion begins, and the test ends it.
    await server.api().core.deleteNamespace({ name: place() });
    const lost = { code: status.UNAVAILABLE, message: /namespace .*-members was deleted.*delete Lease .*members-moved/ };
    await assert.rejects(controller.members.list(pool), lost);
    const body = await server.api().core.readNamespace({ name: place() });
    await server.api().core.replaceNamespaceFinalize({ name: place(), body: { ...body, spec: { finalizers: [] } } });
    await assert.rejects(controller.members.list(pool), lost);
    lead();
    await server.api().core.createNamespace({ body: { metadata: { name: place() } } });
    await assert.rejects(controller.members.list(pool), lost);
    await earlier.delete(names.membersSign);
    await until(() => controller.members.list(pool));
  });

  it('of an earlier data plane move without a moment in which nobody names the host', async () => {
    await sign();
    await earlier.create(nameOf(member('a')), member('a', '3'));
    let seen = 0;
    let moved = false;
    const watching = (async () => {
      for (; !moved; seen++) assert.ok((await listed()).length > 0, 'a moment without a member');
    })();
    await fused.members.register(member('a', '5'));
    lead();
    try {
      await until(async () => assert.equal(await earlier.get(nameOf(member('a'))), undefined));
    } finally {
      moved = true;
    }
    await watching;
    assert.ok(seen > 0);
    assert.deepEqual(await listed(), [member('a', '5')]);
  });

  it('stay in the earlier place when an earlier data plane has written since', async () => {
    await earlier.create(nameOf(member('back')), member('back', '3'));
    await earlier.create(nameOf(member('moved')), member('moved', '3'));
    await fused.members.register(member('back', '5'));
    await fused.members.register(member('moved', '5'));
    await earlier.replace(nameOf(member('back')), member('back', '7'), (await earlier.get(nameOf(member('back'))))!.version);
    lead();
    await until(async () => assert.equal(await earlier.get(nameOf(member('moved'))), undefined));
    assert.deepEqual(await listed(), [member('back', '5'), member('back', '7'), member('moved', '5')]);
  });

  it('leave what an earlier data plane of their host has not left', async () => {
    await sign();
    await earlier.create(nameOf(member('a')), member('a', '3'));
    await earlier.create(nameOf(member('other')), member('other', '3'));
    const membership = new Membership({ members: fused.members, host: 'a', bootId: 'b', hostDirectory: tempDir('host'), log: silentLog() });
    await membership.update();
    assert.deepEqual(await listed(), [member('a', '3'), member('other', '3')], 'it is to be taken away by the controller first');
    lead();
    await until(async () => {
      await membership.update();
      assert.deepEqual(await listed(), [member('other', '3')]);
    });
  });

  it('are released in whichever place they are, and never when they have changed', async () => {
    await sign();
    await earlier.create(nameOf(member('a')), member('a', '3'));
    await fused.members.register(member('a', '5'));
    assert.equal(await controller.members.release(member('a', '4')), false);
    assert.equal(await controller.members.release(member('a', '3')), true);
    assert.deepEqual(await listed(), [member('a', '5')]);
    assert.equal(await controller.members.release(member('a', '3')), false, 'there is another one');
    assert.equal(await controller.members.release(member('a', '5')), true);
    assert.equal(await controller.members.release(member('a', '5')), true, 'it is not there');
    assert.deepEqual(await listed(), []);
  });

  it('are evicted by an operator, who says that their host is off, in whichever place they are', async () => {
    await sign();
    await earlier.create(nameOf(member('a')), member('a', '3'));
    await fused.members.register(member('a', '5'));
    await fused.members.register(member('b'));
    const env = { ...process.env, KUBECONFIG: server.kubeconfigFile('controller'), FAMFS_CSI_KUBERNETES: namespace };
    const evict = promisify(execFile)(program, ['evict', 'a', '--powered-off', `--driver-name=${driver}`], { env });
    assert.equal((await evict).stdout, `a is no member any more of pool ${pool}\n`);
    assert.deepEqual(await listed(), [member('b')]);
  });

  for (const [what, edit] of [
    ['a forged label', (metadata) => { metadata.labels!['famfs.io/node'] = 'forger'; }],
    ['no label', (metadata) => { delete metadata.labels!['famfs.io/node']; }],
    ['another host\'s record', (metadata) => { metadata.annotations!['famfs.io/record'] = JSON.stringify({ ...member('forger'), pool: randomUUID() }); }],
    ['no record', (metadata) => { metadata.annotations = {}; }],
  ] as const satisfies readonly (readonly [string, Parameters<typeof change>[2]])[]) {
    it(`hold memory of every pool when their Lease has ${what}`, async () => {
      await sign();
      await fused.members.register(member('victim', '9'));
      await change(place(), nameOf(member('victim')), edit);
      for (const asked of [pool, randomUUID()]) {
        const [found, ...others] = await controller.members.list(asked);
        assert.deepEqual([found?.pool, found?.acknowledged, others], [asked, undefined, []]);
        assert.match(found!.host, /^nobody \(Lease .*-member-/);
        assert.equal(await controller.hosts.whyGone(found!.host, found!.bootId), undefined, 'nobody ever goes');
      }
      assert.deepEqual((await fused.members.list()).filter(({ host }) => host === 'victim'), []);
    });
  }
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { silentLog } from '../../src/csi/log.ts';
import { entryOffset } from '../../src/famfs/format/log-header.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { MIB } from '../../src/famfs/units.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { shmFile } from '../harness/temp.ts';
import { type ControllerClient, createVolume, deleteVolume, refused } from '../support/csi-requests.ts';
import { unary } from '../support/grpc-client.ts';
import { directory, newHost, newPool, openWriter } from '../support/pools.ts';
import { until } from '../support/until.ts';
import { apiServer, type ApiServer, freePorts } from './api-server.ts';
import { ControllerPod, type PoolEntry } from './controller-pod.ts';
import { Line } from './line.ts';
import { grant } from './rights.ts';

/** How long calls may go unanswered after a controller was killed: the promise of the driver. */
const FAIL_OVER_MS = 20_000;

describe('a controller in Kubernetes', () => {
  const driver = 'csi.example.org';
  let server: ApiServer;
  let namespace: string;
  let cluster: string;
  const pods: ControllerPod[] = [];

  before(async () => {
    server = await apiServer();
    cluster = (await server.api().core.readNamespace({ name: 'kube-system' })).metadata!.uid!;
  });
  beforeEach(async () => {
    namespace = await server.namespace();
    await grant(server, 'controller', namespace);
  });
  afterEach(async () => {
    for (const pod of pods) pod.signal('SIGCONT');
    await Promise.all(pods.splice(0).map((pod) => pod.stop()));
  });

  const start = (name: string, pools: readonly PoolEntry[], port?: number, httpPort = 0) => {
    const pod = new ControllerPod(name, { driver, namespace, kubeconfig: server.kubeconfigFile('controller', port), pools, httpPort });
    pods.push(pod);
    pod.start();
    return pod;
  };
  const ownPool = async () => [{ name: 'p0', device: await newPool(32, { clusterUuid: cluster }) }];
  const volumes = async (client: ControllerClient) => {
    const { entries } = await unary(client, client.listVolumes.bind(client), {}) as { entries: { volume: { volume_id: string } }[] };
    return entries.map(({ volume }) => volume.volume_id).sort();
  };
  const eventsOf = async (uid: string) => (await server.api().core.listNamespacedEvent({ namespace })).items
    .filter(({ involvedObject }) => involvedObject.uid === uid);

  it('is followed by a standby within 20 s after it was killed on another node, and nothing is lost', async () => {
    const pools = await ownPool();
    const first = start('first', pools);
    const client = await first.untilServing();
    const second = start('second', pools);
    const made = await Promise.all(['a', 'b', 'c'].map((name) => createVolume(client, name)));
    await until(() => assert.match(readFileSync(second.log, 'utf8'), /waiting for the lease/));
    assert.ok(!second.isServing);
    const killed = performance.now();
    first.signal('SIGKILL');
    const next = await second.untilServing();
    const again = await createVolume(next, 'c');
    const took = performance.now() - killed;
    assert.equal(again.volume_id, made[2]!.volume_id);
    assert.ok(took <= FAIL_OVER_MS, `it took ${took} ms`);
    assert.deepEqual(await volumes(next), made.map(({ volume_id: id }) => id).sort());
    await createVolume(next, 'd');
  });

  it('tells that it leads and of its pools, and as a standby that it is well and leads nothing', async () => {
    const pools = [...await ownPool(), { name: 'gone', device: '/nonexistent/device' }];
    const [one, two] = await freePorts(2);
    const first = start('first', pools, undefined, one);
    await createVolume(await first.untilServing(), 'a', { parameters: { pool: 'p0' } });
    const second = start('second', pools, undefined, two);
    const standby = await until(() => second.tell('/readyz'));
    assert.deepEqual([standby.status, (await second.tell('/healthz')).status], [200, 200]);
    const { text } = await first.tell('/metrics');
    assert.match(text, /^famfs_leader 1$/m);
    assert.match(text, new RegExp(`^famfs_pool_bytes\\{pool="p0",state="used"\\} ${8 * MIB}$`, 'm'));
    assert.match(text, /^famfs_pool_health\{pool="gone",state="unavailable"\} 1$/m);
    const waiting = (await second.tell('/metrics')).text;
    assert.match(waiting, /^famfs_leader 0$/m);
    assert.doesNotMatch(waiting, /famfs_pool_bytes\{/);
  });

  it('hands over to a standby when it is asked to end', async () => {
    const pools = await ownPool();
    const first = start('first', pools);
    await createVolume(await first.untilServing(), 'a');
    const second = start('second', pools);
    await until(() => assert.match(readFileSync(second.log, 'utf8'), /waiting for the lease/));
    assert.equal(await first.stop(), undefined);
    const next = await second.untilServing();
    assert.equal((await volumes(next)).length, 1);
    const { metadata } = await server.api().coordination.readNamespacedLease({ name: `${driver}-controller`, namespace });
    const epochs = Object.values(JSON.parse(metadata!.annotations!['famfs.io/epochs']!) as Record<string, number>);
    assert.deepEqual(epochs, [2]);
  });

  it('appends nothing and ends when it wakes up after another has taken over', async () => {
    const pools = await ownPool();
    const first = start('first', pools);
    const client = await first.untilServing();
    await createVolume(client, 'a');
    const second = start('second', pools);
    first.signal('SIGSTOP');
    const late = createVolume(client, 'late').then(() => 'made', () => 'refused');
    const next = await second.untilServing();
    await createVolume(next, 'b');
    first.signal('SIGCONT');
    assert.equal(await late, 'refused');
    assert.equal(await first.untilEnded(), 1);
    assert.match(readFileSync(first.log, 'utf8'), /the lease is lost/);
    assert.deepEqual((await volumes(next)).map((id) => id.split('/')[1]), ['a', 'b']);
  });

  it('ends when the API server falls silent, and serves again in the same pod when that is over', async () => {
    const line = await Line.to(server.port);
    const pools = await ownPool();
    const pod = start('first', pools, line.port);
    await createVolume(await pod.untilServing(), 'a');
    line.silence();
    assert.equal(await pod.untilEnded(), 1);
    assert.ok(!pod.isServing);
    pod.start();
    await until(() => assert.match(readFileSync(pod.log, 'utf8'), /cannot be read|cannot be asked for/));
    assert.ok(pod.isRunning);
    line.restore();
    assert.equal((await volumes(await pod.untilServing())).length, 1);
    await pod.stop();
    await line.close();
  });

  it('formats what is empty where that is allowed, and nothing else', async () => {
    const [empty, forbidden, used] = [shmFile('empty'), shmFile('forbidden'), shmFile('used')];
    for (const file of [empty, forbidden, used]) {
      writeFileSync(file, '');
      truncateSync(file, 64 * MIB);
    }
    const data = Buffer.alloc(64 * MIB);
    data.write('somebody else\'s', 9 * MIB); // where the log would be
    writeFileSync(used, data);
    const pod = start('first', [
      { name: 'empty', device: empty, format: 'ifEmpty', logSize: '8MiB' }, { name: 'forbidden', device: forbidden, format: 'never' },
      { name: 'used', device: used, format: 'ifEmpty', logSize: '8MiB' },
    ]);
    const client = await pod.untilServing();
    await until(() => createVolume(client, 'a', { parameters: { pool: 'empty' } }));
    assert.match(readFileSync(pod.log, 'utf8'), /"formatted"/);
    await assert.rejects(createVolume(client, 'b', { parameters: { pool: 'used' } }), { code: status.UNAVAILABLE, details: /not empty/ });
    await assert.rejects(createVolume(client, 'c', { parameters: { pool: 'forbidden' } }), { code: status.UNAVAILABLE, details: /magic|superblock/ });
    const pool = Pool.open(sourceOf(empty), { writable: false });
    assert.equal(pool.systemUuid, cluster);
    pool.close();
    assert.ok(readFileSync(used).equals(data));
    assert.ok(readFileSync(forbidden).equals(Buffer.alloc(64 * MIB)));
  });

  it('works with the other pools when one is bad, and tells of that one as events of its pod', async () => {
    const damaged = await newPool(8, { clusterUuid: cluster });
    const { writer, stop } = await openWriter(damaged, newHost(cluster));
    for (const name of ['d0', 'd1', 'd2']) writer.create([directory(name)]);
    stop();
    const file = openSync(damaged, 'r+');
    writeSync(file, 'damage', 2 * MIB + entryOffset(1) + 40);
    closeSync(file);
    const pools = [
      ...await ownPool(), { name: 'alien', device: await newPool(8) }, { name: 'damaged', device: damaged }, { name: 'gone', device: '/nonexistent/device' },
    ];
    const pod = start('first', pools);
    const client = await pod.untilServing();
    await createVolume(client, 'a', { parameters: { pool: 'p0' } });
    await until(async () => {
      const told = (await eventsOf(pod.uid)).map(({ reason, type, message }) => `${type} ${reason} ${message}`).sort();
      assert.equal(told.length, 3);
      assert.match(told[0]!, /Warning PoolDamaged pool damaged: .*log is damaged/);
      assert.match(told[1]!, /Warning PoolForeignWriter pool alien: .*belongs to system/);
      assert.match(told[2]!, /Warning PoolUnavailable pool gone: .*no such device/);
    });
  });

  it('tells of slots that run out at 80 % and at 95 %', async () => {
    const device = await newPool(8, { clusterUuid: cluster });
    const fill = async (share: number) => {
      const { pool, writer, stop } = await openWriter(device, newHost(cluster));
      for (let { slotsTotal, slotsUsed } = pool.view.usage(); slotsUsed < Math.floor(share * slotsTotal); slotsUsed++) writer.create([directory(`d${slotsUsed}`)]);
      stop();
    };
    await fill(0.8);
    const pod = start('first', [{ name: 'p0', device }]);
    const client = await pod.untilServing();
    const told = async () => (await eventsOf(pod.uid)).map(({ reason }) => reason);
    await createVolume(client, 'crosses', { capacity_range: { required_bytes: 1 } });
    await until(async () => assert.deepEqual(await told(), ['PoolSlotsRunningLow']));
    await pod.stop();
    await fill(0.96);
    pod.start();
    await pod.untilServing();
    await until(async () => assert.deepEqual((await told()).sort(), ['PoolSlotsNearlyUsedUp', 'PoolSlotsRunningLow']));
  });

  describe('explains why claims stay pending', () => {
    let className: string;
    let pod: ControllerPod;
    const core = () => server.api().core;

    const makeClass = async (parameters: Record<string, string>) => {
      const name = `class-${randomUUID().slice(0, 8)}`;
      const body = { metadata: { name }, provisioner: driver, parameters, volumeBindingMode: 'WaitForFirstConsumer' };
      await server.api().storage.createStorageClass({ body });
      return name;
    };
    const claim = async (spec: { storage?: string; accessModes?: string[]; volumeMode?: string; storageClassName?: string; dataSource?: { kind: string; name: string } }) => {
      const { storage = '4Mi', ...rest } = spec;
      const body = {
        metadata: { name: `claim-${randomUUID().slice(0, 8)}` },
        spec: { accessModes: ['ReadWriteMany'], storageClassName: className, resources: { requests: { storage } }, ...rest },
      };
      return (await core().createNamespacedPersistentVolumeClaim({ namespace, body })).metadata!.uid!;
    };
    const explained = async (uid: string, message: RegExp) => until(async () => {
      const [event, ...others] = await eventsOf(uid);
      assert.match(event?.message ?? 'no event', message);
      assert.deepEqual([event?.reason, event?.type, event?.involvedObject.kind], ['CannotProvision', 'Warning', 'PersistentVolumeClaim']);
      assert.deepEqual(others, []);
    });

    beforeEach(async () => {
      pod = start('first', await ownPool());
      await pod.untilServing();
      className = await makeClass({});
    });

    it('for want of room, now or ever', async () => {
      const client = await pod.untilServing();
      const { volume_id: id } = await createVolume(client, 'deleted', { capacity_range: { required_bytes: 16 * MIB } });
      await createVolume(client, 'kept', { capacity_range: { required_bytes: 24 * MIB } });
      const { members } = openKubernetesState({ namespace, driver, log: silentLog(), api: server.api() });
      await until(() => members.register({ pool: id.split('/')[0]!, host: 'node-b', bootId: 'x' })); // as soon as the controller sees members
      await deleteVolume(client, id);
      const reason = /needs 32Mi, largest free is 24Mi in pool p0; 16Mi deleted, not yet returned: node-b may have it mapped$/;
      await until(() => refused(createVolume(client, 'large', { capacity_range: { required_bytes: 32 * MIB } }), status.RESOURCE_EXHAUSTED, reason));
      await explained(await claim({ storage: '32Mi' }), reason);
      await explained(await claim({ storage: '1Ti' }), /more than the pool could ever hold/);
    });

    it('for what the driver does not offer', async () => {
      await explained(await claim({ volumeMode: 'Block' }), /block volumes are not offered/);
      await explained(await claim({ accessModes: ['ReadOnlyMany'] }), /a new volume is empty/);
      await explained(await claim({ dataSource: { kind: 'PersistentVolumeClaim', name: 'other' } }), /volume_content_source is not offered/);
      await explained(await claim({ storageClassName: await makeClass({ colour: 'red' }) }), /unknown parameter "colour"/);
      await explained(await claim({ storageClassName: await makeClass({ 'csi.storage.k8s.io/fstype': 'ext4' }) }), /fs_type "ext4" is not offered/);
      await explained(await claim({ storageClassName: await makeClass({ pool: 'none' }) }), /there is no pool "none"; known are p0/);
    });

    it('but says nothing of claims that can be had, or that are not ours', async () => {
      const fine = await claim({});
      const foreign = `class-${randomUUID().slice(0, 8)}`;
      await server.api().storage.createStorageClass({ body: { metadata: { name: foreign }, provisioner: 'other.example.org' } });
      const theirs = await claim({ storageClassName: foreign, volumeMode: 'Block' });
      await explained(await claim({ volumeMode: 'Block' }), /block volumes/); // so the others were looked at, too
      assert.deepEqual([await eventsOf(fine), await eventsOf(theirs)], [[], []]);
    });
  });
});

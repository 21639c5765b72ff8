/** Pools that come and go, and a second release beside the first. */
import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { SUPERBLOCK_LENGTH } from '../../src/famfs/device/mapped-device.ts';
import { entryOffset } from '../../src/famfs/format/log-header.ts';
import { cluster, driverImage, makeDevice } from './support/cluster.ts';
import { apply, get, helm, kubectl, list } from './support/kubectl.ts';
import { leader } from './support/leader.ts';
import { poolUuid } from './support/leaks.ts';
import { claim, Names, pod } from './support/objects.ts';
import { chart, install, poolsOfRelease, Selectors } from './support/release.ts';
import { promise } from './support/scene.ts';
import { allReady, bound, eventAbout, remove, running } from './support/states.ts';
import { untilSo } from '../support/until.ts';

/** The pool keys of a node's label and of its CSINode, which must agree. */
async function keysOf(node: string): Promise<string[]> {
  const prefix = `${Names.driver}/pool-`;
  const labels = Object.keys((await list('nodes')).find(({ metadata }) => metadata.name === node)!.metadata.labels!);
  const { drivers } = (await get('csinode', node)).spec;
  const keys = drivers?.find(({ name }: { name: string }) => name === Names.driver)?.topologyKeys ?? [];
  const labelled = labels.filter((key) => key.startsWith(prefix)).sort();
  if (JSON.stringify([...keys].sort()) !== JSON.stringify(labelled)) throw new Error(`keys ${keys} but labels ${labelled}`);
  return labelled;
}

async function everywhere(what: string, is: (keys: readonly string[]) => boolean): Promise<void> {
  await untilSo(what, async () => (await Promise.all(cluster().workers.map(keysOf))).every(is));
}

promise('a pool', (scene) => {
  it('joins and leaves running pods of the data plane, hurts no other when it is damaged, and is told of', async () => {
    const { namespace } = scene;
    const before = (await list('pods', Names.namespace, '-l', Selectors.fused)).map(({ metadata }) => metadata.uid).sort();
    const file = makeDevice('p2');
    await install({ image: driverImage(), more: { pools: [...poolsOfRelease, { name: 'p2', device: '/dev/sim/p2', format: 'ifEmpty' }] } });
    const uuid = await untilSo('the controller has formatted the pool', () => poolUuid(file));
    const key = `${Names.driver}/pool-${uuid}`;
    await everywhere(`both workers have ${key}`, (keys) => keys.includes(key));

    const parameters = { pool: 'p2' };
    await apply({
      apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'e2e-p2' }, provisioner: Names.driver,
      volumeBindingMode: 'WaitForFirstConsumer', parameters,
    });
    try {
      await apply(
        claim({ name: 'data', namespace, storageClass: 'e2e-p2' }),
        pod({ name: 'user', namespace, claims: [{ claim: 'data', path: '/data' }] }),
      );
      await running('user', namespace);
      assert.ok((await bound('data', namespace)).spec.csi.volumeHandle.startsWith(`${uuid}/`));
      await remove('pod', ['user'], namespace);
      await remove('pvc', ['data'], namespace);
      await untilSo('the volume is gone', async () => (await list('pv')).every(({ spec }) => spec.claimRef?.namespace !== namespace));

      scribble(file);
      const { pod: leading } = await leader();
      await eventAbout('Pod', leading, Names.namespace, /Pool\w+: .*p2/);
      await apply(
        claim({ name: 'other', namespace }),
        pod({ name: 'other', namespace, claims: [{ claim: 'other', path: '/data' }] }),
      );
      await running('other', namespace);
    } finally {
      await kubectl(['delete', 'storageclass', 'e2e-p2']);
      await install({ image: driverImage() });
    }
    await everywhere(`no worker has ${key}`, (keys) => !keys.includes(key));
    const after = (await list('pods', Names.namespace, '-l', Selectors.fused)).map(({ metadata }) => metadata.uid).sort();
    assert.deepEqual(after, before, 'the pods of the data plane must be the same as before');
  });
});

promise('a second release', (scene) => {
  it('has its own driver, pool and classes, without attaching, and goes without the first', async () => {
    const { namespace } = scene;
    const [repository, tag] = driverImage().split(':');
    const values = {
      driverName: 'b.csi.famfs.io', attach: false, image: { repository, tag }, nodeSelector: { 'famfs.io/memory': 'true' },
      pools: [{ name: 'b0', device: '/dev/sim/b0', format: 'ifEmpty' }], storageClasses: [{ name: 'famfs-b' }],
      controller: { replicas: 1 },
    };
    makeDevice('b0');
    const set = Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
    await helm(['install', 'second', chart, '--namespace', 'second', '--create-namespace', ...set, '--wait', '--timeout', '3m']);
    try {
      await apply(
        claim({ name: 'a', namespace }),
        claim({ name: 'b', namespace, storageClass: 'famfs-b' }),
        pod({ name: 'user', namespace, claims: [{ claim: 'a', path: '/a' }, { claim: 'b', path: '/b' }] }),
      );
      await running('user', namespace);
      const drivers = await Promise.all(['a', 'b'].map(async (name) => (await bound(name, namespace)).spec.csi.driver));
      assert.deepEqual(drivers, [Names.driver, 'b.csi.famfs.io']);
      const attached = (await list('volumeattachments')).map(({ spec }) => spec.attacher);
      assert.deepEqual(attached, [Names.driver]);
      await remove('pod', ['user'], namespace);
      await remove('pvc', ['b'], namespace);
      await untilSo('the volume is gone', async () => (await list('pv')).every(({ spec }) => spec.csi?.driver !== 'b.csi.famfs.io'));
    } finally {
      await helm(['uninstall', 'second', '--namespace', 'second', '--wait']);
      await kubectl(['delete', 'namespace', 'second']);
    }
    await allReady(Selectors.node, Names.namespace, 2);
  });
});

promise('the controller', (scene) => {
  it('lets pods onto a node as soon as the driver is registered there', async () => {
    const { workers } = scene;
    await kubectl(['taint', 'node', workers[0], `${Names.driver}/agent-not-ready=:NoSchedule`]);
    await untilSo('the taint is gone', async () =>
      !JSON.stringify((await list('nodes')).map(({ spec }) => spec.taints ?? [])).includes('agent-not-ready'));
  });
});

/** What another host could do to a pool: bytes over an entry of its log. */
function scribble(file: string): void {
  const fd = openSync(file, 'r+');
  try {
    writeSync(fd, Buffer.alloc(100, 0xa5), 0, 100, SUPERBLOCK_LENGTH + entryOffset(1) + 40);
  } finally {
    closeSync(fd);
  }
}

/** Many volumes, and those that cannot be had. */
import assert from 'node:assert/strict';
import { apply, exec, kubectl, list } from './support/kubectl.ts';
import { claim, Names, pod, podSpec } from './support/objects.ts';
import { promise } from './support/scene.ts';
import { allReady, bound, eventAbout, remove, running } from './support/states.ts';
import { untilSo } from '../support/until.ts';

const many = 50;

promise('provisioning', (scene) => {
  it('gives each replica of a StatefulSet a volume of its own that it finds again', async () => {
    const { namespace } = scene;
    const spec = podSpec({ name: '', namespace });
    (spec['containers'] as { volumeMounts: object[] }[])[0].volumeMounts.push({ name: 'data', mountPath: '/data' });
    await apply({
      apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace },
      spec: {
        serviceName: 'db', replicas: 3, podManagementPolicy: 'Parallel',
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec },
        volumeClaimTemplates: [{
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], storageClassName: Names.storageClass, resources: { requests: { storage: '4Mi' } } },
        }],
      },
    });
    await allReady('app=db', namespace, 3);
    const write = (name: string) => exec(name, namespace, ['sh', '-c', `printf ${name} | dd of=/data/data conv=notrunc`]);
    const read = async (name: string) => (await exec(name, namespace, ['head', '-c', '4', '/data/data'])).stdout;
    const names = ['db-0', 'db-1', 'db-2'];
    for (const name of names) assert.equal((await write(name)).code, 0);
    await remove('pod', names, namespace);
    await allReady('app=db', namespace, 3);
    assert.deepEqual(await Promise.all(names.map(read)), names);
  });

  it(`makes ${many} volumes at once, and deletes them at once`, async () => {
    const { namespace } = scene;
    const names = Array.from({ length: many }, (_, number) => `c${number}`);
    await apply(...names.map((name) => claim({ name, namespace, size: '2Mi', storageClass: 'famfs-immediate' })));
    await untilSo(`${many} bound claims`, async () =>
      (await list('pvc', namespace)).filter(({ status }) => status.phase === 'Bound').length === many);
    const volumes = (await list('pv')).filter(({ spec }) => spec.claimRef?.namespace === namespace);
    assert.equal(new Set(volumes.map(({ spec }) => spec.csi.volumeHandle)).size, many);
    await remove('pvc', names, namespace);
  });

  const refusals: [string, string, Parameters<typeof claim>[0] | object, object | undefined, RegExp][] = [
    ['larger than the pool', 'huge', { size: '1Ti' }, undefined, /1Ti|more than .*pool/],
    ['with an unknown parameter', 'odd', { storageClass: 'e2e-odd' }, { parameters: { colour: 'blue' } }, /colour/],
    ['in block mode', 'raw', { spec: { volumeMode: 'Block' } }, undefined, /block volumes are not offered/],
    ['with a file system of its own', 'ext', { storageClass: 'e2e-ext' }, { parameters: { 'csi.storage.k8s.io/fstype': 'ext4' } }, /fs_type "ext4"/],
  ];
  for (const [what, name, wish, storageClass, reason] of refusals) {
    it(`leaves a claim ${what} pending, with an event that explains it`, async () => {
      const { namespace } = scene;
      const { storageClass: className } = wish as { storageClass?: string };
      if (storageClass !== undefined) {
        await apply({
          apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: className! },
          provisioner: Names.driver, volumeBindingMode: 'WaitForFirstConsumer', ...storageClass,
        });
      }
      try {
        const devices = name === 'raw' ? { container: { volumeDevices: [{ name: 'v0', devicePath: '/dev/raw' }], volumeMounts: [] } } : {};
        await apply(
          claim({ name, namespace, ...wish }),
          pod({ name: 'user', namespace, claims: [{ claim: name, path: '/data' }], ...devices }),
        );
        await eventAbout('PersistentVolumeClaim', name, namespace, reason);
        assert.equal((await list('pvc', namespace))[0].status.phase, 'Pending');
      } finally {
        await remove('pod', ['user'], namespace);
        if (storageClass !== undefined) await kubectl(['delete', 'storageclass', className!]);
      }
    });
  }

  it('places a pod on a node that has the pool, and none on a node that has not', async () => {
    const { namespace, workers } = scene;
    await kubectl(['cordon', workers[0]]);
    await kubectl(['cordon', workers[1]]);
    const [controlPlane] = (await list('nodes')).map(({ metadata }) => metadata.name).filter((name) => !workers.includes(name));
    try {
      const spec = { tolerations: [{ operator: 'Exists', key: 'node-role.kubernetes.io/control-plane' }] };
      await apply(claim({ name: 'data', namespace }), pod({ name: 'user', namespace, claims: [{ claim: 'data', path: '/data' }], spec }));
      const heard = await eventAbout('Pod', 'user', namespace, /FailedScheduling/);
      assert.match(heard, /did not have enough free storage|no available persistent volumes|had? no|topology/i, `${controlPlane} must not be chosen: ${heard}`);
    } finally {
      await kubectl(['uncordon', workers[0]]);
      await kubectl(['uncordon', workers[1]]);
    }
    const placed = await running('user', namespace);
    assert.ok(workers.includes(placed.spec.nodeName));
    await bound('data', namespace);
  });
});

/** Data that is there already: static volumes, retained ones, pools that the command line filled. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../harness/paths.ts';
import { remove as removeFile, tempDir } from '../harness/temp.ts';
import { filledPool } from './support/cluster.ts';
import { apply, exec, get, kubectl, type KubeObject, run } from './support/kubectl.ts';
import { poolUuid } from './support/leaks.ts';
import { claim, Names, pod } from './support/objects.ts';
import { promise } from './support/scene.ts';
import { bound, remove, running } from './support/states.ts';

/** A volume that an administrator makes for an existing directory. */
function staticVolume(name: string, handle: string, mode: string, readOnly = false): KubeObject {
  const key = `${Names.driver}/pool-${handle.split('/')[0]}`;
  return {
    apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name },
    spec: {
      capacity: { storage: '4Mi' }, accessModes: [mode], persistentVolumeReclaimPolicy: 'Retain', storageClassName: '',
      csi: { driver: Names.driver, volumeHandle: handle, readOnly },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: ['true'] }] }] } },
    },
  };
}

promise('existing data', (scene) => {
  it('is mounted through a static volume, from a pool that the command line formatted and filled', async () => {
    const { namespace } = scene;
    const handle = `${await poolUuid(filledPool.file)}/${filledPool.directory}`;
    const name = `static-${namespace}`;
    await apply(
      staticVolume(name, handle, 'ReadOnlyMany', true),
      claim({ name: 'data', namespace, mode: 'ReadOnlyMany', size: '1Mi', storageClass: '', spec: { volumeName: name } }),
      pod({ name: 'user', namespace, claims: [{ claim: 'data', path: '/data', readOnly: true }] }),
    );
    await running('user', namespace);
    const seen = await exec('user', namespace, ['cat', `/data/${filledPool.fileName}`]);
    assert.equal(seen.stdout.replaceAll('\0', ''), filledPool.text);
    await remove('pod', ['user'], namespace);
    await remove('pvc', ['data'], namespace);
    await remove('pv', [name]);
    const { stdout } = await run(program, ['ls', '-r', filledPool.file, '--json']);
    assert.match(stdout, new RegExp(filledPool.directory), 'deleting a static volume must leave the data');
  });

  it('survives its claim where the volume is retained, and is used again through a new one', async () => {
    const { namespace } = scene;
    const claims = [{ claim: 'first', path: '/data' }];
    await apply(claim({ name: 'first', namespace }), pod({ name: 'writer', namespace, claims }));
    await running('writer', namespace);
    assert.equal((await exec('writer', namespace, ['sh', '-c', 'printf kept | dd of=/data/data conv=notrunc'])).code, 0);
    const { metadata: { name } } = await bound('first', namespace);
    await kubectl(['patch', 'pv', name, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}']);
    await remove('pod', ['writer'], namespace);
    await remove('pvc', ['first'], namespace);
    assert.equal((await get('pv', name)).status.phase, 'Released');

    await kubectl(['patch', 'pv', name, '--type=json', '-p', '[{"op":"remove","path":"/spec/claimRef"}]']);
    await apply(
      claim({ name: 'second', namespace, spec: { volumeName: name } }),
      pod({ name: 'reader', namespace, claims: [{ claim: 'second', path: '/data' }] }),
    );
    await running('reader', namespace);
    assert.equal((await exec('reader', namespace, ['head', '-c', '4', '/data/data'])).stdout, 'kept');
    await kubectl(['patch', 'pv', name, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}']);
  });

  it('can be written by nobody from outside while the controller rules', async () => {
    const work = tempDir('e2e');
    try {
      writeFileSync(join(work, 'bytes'), 'x'.repeat(100));
      const { code, stderr } = await run(program, [
        'cp', join(work, 'bytes'), `${filledPool.file}:intruder`, '--state-dir', join(work, 'state'), '--host-dir', join(work, 'host'),
      ]);
      assert.equal(code, 1);
      assert.match(stderr, /belongs to system|claim|writer/);
    } finally {
      removeFile(work);
    }
  });
});

/** The examples of the documentation, applied as they are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../harness/paths.ts';
import { filledPool } from './support/cluster.ts';
import { applyFile, exec, kubectl, list } from './support/kubectl.ts';
import { poolUuid } from './support/leaks.ts';
import { promise } from './support/scene.ts';
import { allReady, remove, running, succeeded } from './support/states.ts';
import { untilSo } from '../support/until.ts';

const example = (name: string) => join(root, 'examples', name);

promise('the example', (scene) => {
  it('quick-start.yaml shows what its pod wrote', async () => {
    const { namespace } = scene;
    await applyFile(example('quick-start.yaml'), namespace);
    await running('writer', namespace);
    assert.equal((await exec('writer', namespace, ['head', '-n', '1', '/memory/data'])).stdout, 'hello, shared memory\n');
  });

  it('read-only-sharing.yaml has readers on both nodes', async () => {
    const { namespace, workers } = scene;
    await applyFile(example('read-only-sharing.yaml'), namespace);
    const readers = await allReady('app=readers', namespace, 2);
    assert.deepEqual(readers.map(({ spec }) => spec.nodeName).sort(), [...workers].sort());
    const filler = (await list('pods', namespace, '-l', 'job-name=fill'))[0];
    await succeeded(filler.metadata.name, namespace);
    for (const { metadata: { name } } of readers) {
      assert.equal((await exec(name, namespace, ['head', '-n', '1', '/model/data'])).stdout, 'ready\n');
    }
  });

  it('statefulset.yaml gives each replica its volume, which goes with the set', async () => {
    const { namespace } = scene;
    await applyFile(example('statefulset.yaml'), namespace);
    await allReady('app=shards', namespace, 2);
    for (const name of ['shards-0', 'shards-1']) {
      assert.equal((await exec(name, namespace, ['head', '-n', '1', '/shard/data'])).stdout, `${name}\n`);
    }
    await remove('statefulset', ['shards'], namespace);
    await untilSo('the claims are gone', async () => (await list('pvc', namespace)).length === 0);
  });

  it('static-pv.yaml shows a directory of the pool, once UUID and path are put in', async () => {
    const { namespace } = scene;
    const uuid = await poolUuid(filledPool.file);
    const text = readFileSync(example('static-pv.yaml'), 'utf8')
      .replaceAll('00000000-0000-4000-8000-000000000000', uuid).replace(`${uuid}/models/weights`, `${uuid}/${filledPool.directory}`);
    await kubectl(['apply', '-n', namespace, '-f', '-'], text);
    await running('reader', namespace);
    const seen = await exec('reader', namespace, ['cat', `/weights/${filledPool.fileName}`]);
    assert.equal(seen.stdout.replaceAll('\0', ''), filledPool.text);
    await remove('pod', ['reader'], namespace);
    await remove('pvc', ['weights'], namespace);
    await remove('pv', ['weights']);
  });

  it('storage-class.yaml makes a volume for a group of users, kept when the claim is deleted', async () => {
    const { namespace } = scene;
    await applyFile(example('storage-class.yaml'), namespace);
    try {
      const quickStart = readFileSync(example('quick-start.yaml'), 'utf8').replace('storageClassName: famfs', 'storageClassName: famfs-shared');
      await kubectl(['apply', '-n', namespace, '-f', '-'], quickStart);
      await running('writer', namespace);
      const { stdout } = await exec('writer', namespace, ['sh', '-c', 'stat -c "%u %g %a" /memory/data; grep " /memory " /proc/mounts | cut -d" " -f4']);
      assert.match(stdout, /^1000 1000 660\n/);
      assert.match(stdout, /noexec/);
      const volume = (await list('pv')).find(({ spec }) => spec.claimRef?.namespace === namespace)!;
      assert.equal(volume.spec.persistentVolumeReclaimPolicy, 'Retain');
      await kubectl(['patch', 'pv', volume.metadata.name, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}']);
    } finally {
      await kubectl(['delete', '-f', example('storage-class.yaml')]);
    }
  });
});

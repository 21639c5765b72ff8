/** One data set in several namespaces: readers that are no guests of the writer's namespace. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../harness/paths.ts';
import { untilSo } from '../support/until.ts';
import { apply, exec, find, kubectl, list } from './support/kubectl.ts';
import { claim, pod } from './support/objects.ts';
import { promise } from './support/scene.ts';
import { bound, eventAbout, remove, running } from './support/states.ts';

const placeholder = '00000000-0000-4000-8000-000000000000';
const example = readFileSync(join(root, 'examples/shared-namespaces.yaml'), 'utf8');

promise('one data set in several namespaces', (scene) => {
  /** Namespaces of readers, made as the example says, for the owner's handle. */
  async function makeReaders(namespaces: readonly string[], handle: string, node: string): Promise<void> {
    for (const namespace of namespaces) {
      await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await untilSo('the default service account', async () =>
        (await list('serviceaccounts', namespace)).some(({ metadata }) => metadata.name === 'default'));
      const text = example.replaceAll('team-b', namespace).replace(`${placeholder}/models/weights`, handle)
        .replace(placeholder, handle.split('/')[0]!)
        .replace('terminationGracePeriodSeconds: 1', `terminationGracePeriodSeconds: 1\n  nodeSelector: {kubernetes.io/hostname: ${node}}`);
      await kubectl(['apply', '-n', namespace, '-f', '-'], text);
    }
    for (const namespace of namespaces) await running('reader', namespace);
  }

  async function removeReaders(namespaces: readonly string[]): Promise<void> {
    for (const namespace of namespaces) {
      await remove('pod', ['reader'], namespace);
      await remove('pvc', ['weights'], namespace);
      await remove('pv', [`weights-${namespace}`]);
      await remove('namespace', [namespace]);
    }
  }

  /** A pod that counts in the first eight bytes of its volume. */
  const writer = (name: string, namespace: string, node: string) => pod({
    name, namespace, node, claims: [{ claim: 'data', path: '/data' }],
    command: ['sh', '-c', 'n=0; while true; do n=$((n+1)); printf %08d $n | dd of=/data/data conv=notrunc 2>/dev/null; sleep 1; done'],
  });

  const counted = async (namespace: string) => {
    const { stdout } = await exec('reader', namespace, ['head', '-c', '8', '/weights/data']);
    return /^\d{8}$/.test(stdout) ? Number(stdout) : 0;
  };

  /** Waits until each reader has seen the writer count on. */
  async function seeProgress(namespaces: readonly string[]): Promise<void> {
    for (const namespace of namespaces) {
      const before = await counted(namespace);
      await untilSo(`the reader in ${namespace} sees the writer count on`, async () => ![0, before].includes(await counted(namespace)));
    }
  }

  it('is read in two namespaces on one node while a writer of a third one writes, there and on another node', async () => {
    const { namespace, workers } = scene;
    const readers = [`${namespace}-a`, `${namespace}-b`];
    await apply(claim({ name: 'data', namespace, mode: 'ReadWriteMany' }), writer('here', namespace, workers[0]));
    await running('here', namespace);
    const { metadata: { name: volume }, spec } = await bound('data', namespace);
    try {
      await makeReaders(readers, spec.csi.volumeHandle, workers[0]);
      await seeProgress(readers);
      for (const reader of readers) {
        const refused = await exec('reader', reader, ['sh', '-c', 'echo no | dd of=/weights/data conv=notrunc']);
        assert.match(refused.stderr, /Read-only file system/);
      }

      await remove('pod', ['here'], namespace);
      await apply(writer('there', namespace, workers[1]));
      await running('there', namespace);
      await seeProgress(readers);

      await remove('pod', ['there'], namespace);
      await remove('pvc', ['data'], namespace);
      await eventAbout('PersistentVolume', volume, 'default', /VolumeFailedDelete: .*is published on/);
      for (const reader of readers) assert.ok(await counted(reader) > 0);
    } finally {
      await removeReaders(readers);
    }
    await untilSo('the volume is deleted, since nobody reads it any more', async () => await find('pv', volume) === undefined);
  });

  it('is read beside a ReadWriteOnce volume\'s writer from another node', async () => {
    const { namespace, workers } = scene;
    const readers = [`${namespace}-a`];
    await apply(claim({ name: 'data', namespace }), writer('writer', namespace, workers[0]));
    await running('writer', namespace);
    const { spec } = await bound('data', namespace);
    try {
      await makeReaders(readers, spec.csi.volumeHandle, workers[1]);
      await seeProgress(readers);
    } finally {
      await removeReaders(readers);
    }
  });
});

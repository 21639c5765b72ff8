/** Memory of deleted volumes: it comes back as zeros, and waits for nodes that may still use it. */
import assert from 'node:assert/strict';
import { startNode, stopNode } from './support/cluster.ts';
import { apply, exec, kubectl, list } from './support/kubectl.ts';
import { leader } from './support/leader.ts';
import { claim, Names, pod } from './support/objects.ts';
import { Selectors } from './support/release.ts';
import { promise } from './support/scene.ts';
import { allReady, eventAbout, remove, running } from './support/states.ts';
import { untilSo } from '../support/until.ts';

/** More than half of the pool: a second one has no room beside it. */
const LARGE = '2560Mi';

promise('memory of a deleted volume', (scene) => {
  const use = (name: string, node?: string) => apply(
    claim({ name, namespace: scene.namespace, size: LARGE }),
    pod({ name, namespace: scene.namespace, claims: [{ claim: name, path: '/data' }], ...(node === undefined ? {} : { node }) }),
  );
  const drop = async (name: string) => {
    await remove('pod', [name], scene.namespace);
    await remove('pvc', [name], scene.namespace);
  };
  const say = async (name: string, script: string) => {
    const { code, stdout, stderr } = await exec(name, scene.namespace, ['sh', '-c', script]);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };

  it('is that of the next one, and full of zeros, in a pool that has no room for two', async () => {
    for (const name of ['first', 'second', 'third']) {
      await use(name);
      await running(name, scene.namespace);
      assert.equal(await say(name, "tr -d '\\0' < /data/data | head -c 1 | wc -c"), '0', 'bytes of another volume');
      await say(name, 'tr "\\0" x < /dev/zero | dd of=/data/data bs=1M count=2560 iflag=fullblock conv=notrunc 2>/dev/null');
      assert.equal(await say(name, 'tail -c 3 /data/data'), 'xxx');
      await drop(name);
    }
  });

  it('waits for a node that is gone, names it, and comes back when that node is known to be off', async () => {
    const { namespace, workers: [here, gone] } = scene;
    await apply(claim({ name: 'small', namespace }), pod({ name: 'small', namespace, claims: [{ claim: 'small', path: '/data' }], node: gone }));
    await running('small', namespace); // so that node has the pool mounted
    await drop('small');
    await use('large', here);
    await running('large', namespace);
    try {
      await stopNode(gone);
      await untilSo(`${gone} is not ready`, async () => {
        const node = (await list('nodes')).find(({ metadata }) => metadata.name === gone)!;
        return node.status.conditions.find(({ type }: { type: string }) => type === 'Ready').status !== 'True';
      });
      await drop('large');
      await use('next', here);
      await eventAbout('PersistentVolumeClaim', 'next', namespace, new RegExp(`needs 2.5Gi.* 2.5Gi deleted, not yet returned: ${gone} may have it mapped`));
      const { pod: leading } = await leader();
      await eventAbout('Pod', leading, Names.namespace, new RegExp(`PoolMemoryHeld: pool p0: .* wait for ${gone},`));
      assert.equal((await list('pods', namespace))[0].status.phase, 'Pending');
      await kubectl(['taint', 'node', gone, 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute']);
      await running('next', namespace);
      await drop('next');
    } finally {
      await startNode(gone);
    }
    for (const selector of Object.values(Selectors)) await allReady(selector, Names.namespace, 2);
  });
});

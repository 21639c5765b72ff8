/** The data plane is replaced under pods that use it: they notice nothing, for the node plugin holds its sessions. */
import assert from 'node:assert/strict';
import { nodeCommandOn } from './support/cluster.ts';
import { apply, get, kubectl, list } from './support/kubectl.ts';
import { endLoad, loadIn } from './support/load.ts';
import { claim, deployment, Names } from './support/objects.ts';
import { Selectors } from './support/release.ts';
import { promise } from './support/scene.ts';
import { allReady, podOn, remove } from './support/states.ts';
import { untilSo } from '../support/until.ts';

/** Kills the first process of a role's container, and with it all others of it. */
async function killContainer(node: string, role: 'fused' | 'node'): Promise<void> {
  await nodeCommandOn(node, ['pkill', '-KILL', '-f', `main.js ${role}`]);
}

/** How often the container of a pod was started again. */
async function restartsOf(pod: string): Promise<number> {
  return (await get('pod', pod, Names.namespace)).status.containerStatuses[0].restartCount;
}

promise('the data plane of a node', (scene) => {
  it('is killed without a failed operation in a pod', async () => {
    const load = await loadIn(scene);
    const pod = await podOn(load.node, Selectors.fused);
    const before = await restartsOf(pod);
    const moment = Date.now();
    await killContainer(load.node, 'fused');
    await untilSo('the container was started again', async () => await restartsOf(pod) > before);
    await allReady(Selectors.fused, Names.namespace, 2);
    await endLoad(load, [moment]);
  });

  for (const [how, ...options] of [['deleted'], ['deleted by force', '--grace-period=0', '--force']]) {
    it(`is ${how} and made anew without a failed operation in a pod`, async () => {
      const load = await loadIn(scene);
      const pod = await podOn(load.node, Selectors.fused);
      const moment = Date.now();
      await kubectl(['delete', 'pod', pod, '-n', Names.namespace, ...options]);
      await allReady(Selectors.fused, Names.namespace, 2);
      assert.notEqual(await podOn(load.node, Selectors.fused), pod);
      await endLoad(load, [moment]);
    });
  }

  it('and the node plugin are deleted at the same time without a failed operation in a pod', async () => {
    const load = await loadIn(scene);
    const pods = [await podOn(load.node, Selectors.fused), await podOn(load.node, Selectors.node)];
    const moment = Date.now();
    await kubectl(['delete', 'pod', ...pods, '-n', Names.namespace]);
    for (const selector of [Selectors.fused, Selectors.node]) await allReady(selector, Names.namespace, 2);
    await endLoad(load, [moment]);
  });

  it('is lost when it and the node plugin are killed at once, and pods recover by a restart alone', async () => {
    const { namespace, workers: [node] } = scene;
    const app = deployment('app', namespace, 'data');
    app.spec.template.spec.nodeName = node;
    await apply(claim({ name: 'data', namespace, storageClass: 'famfs-immediate' }), app);
    const [first] = await allReady('app=app', namespace);
    const say = (pod: string, script: string) => kubectl(['exec', pod, '-n', namespace, '--', 'sh', '-c', script]);
    await say(first!.metadata.name, 'printf before | dd of=/data/data conv=notrunc');
    await Promise.all([killContainer(node, 'node'), killContainer(node, 'fused')]);
    await untilSo('the session is over', () => say(first!.metadata.name, 'head -c 6 /data/data').then(() => false, () => true));
    for (const selector of [Selectors.fused, Selectors.node]) await allReady(selector, Names.namespace, 2);
    await remove('pod', [first!.metadata.name], namespace);
    const [second] = await allReady('app=app', namespace);
    assert.equal(await say(second!.metadata.name, 'head -c 6 /data/data'), 'before');
    await remove('deployment', ['app'], namespace);
    await untilSo('no pod is left', async () => (await list('pods', namespace)).length === 0);
  });
});

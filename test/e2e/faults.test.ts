/** Faults: what is killed comes back, and nothing is lost, doubled or seen by a pod. */
import assert from 'node:assert/strict';
import { nodeCommandOn, startNode, stopNode } from './support/cluster.ts';
import { apply, kubectl, list } from './support/kubectl.ts';
import { leader } from './support/leader.ts';
import { endLoad, loadIn } from './support/load.ts';
import { claim, deployment, Names, pod } from './support/objects.ts';
import { Selectors } from './support/release.ts';
import { restartedSince, restarts } from './support/restarts.ts';
import { promise } from './support/scene.ts';
import { allReady, bound, podOn, remove, running } from './support/states.ts';
import { untilSo } from '../support/until.ts';

const many = 50;

/** Stops or continues the controller's process on a node. */
async function signalController(node: string, signal: 'STOP' | 'CONT'): Promise<void> {
  await nodeCommandOn(node, ['pkill', `-${signal}`, '-f', 'main.js controller']);
}

promise('a fault', (scene) => {
  it(`of each controller replica in turn leaves no volume of ${many} lost or doubled, and starts no container of another pod again`, async () => {
    const { namespace } = scene;
    const before = await restarts();
    const names = Array.from({ length: many }, (_, number) => `c${number}`);
    const applied = apply(...names.map((name) => claim({ name, namespace, size: '2Mi', storageClass: 'famfs-immediate' })));
    const boundCount = async () => (await list('pvc', namespace)).filter(({ status }) => status.phase === 'Bound').length;
    const replicas = await list('pods', Names.namespace, '-l', Selectors.controller);
    assert.equal(replicas.length, 2);
    for (const [number, { metadata: { name } }] of replicas.entries()) {
      await untilSo('some claims are bound', async () => await boundCount() > number * 10);
      await kubectl(['delete', 'pod', name, '-n', Names.namespace, '--grace-period=0', '--force']);
    }
    await applied;
    await untilSo(`${many} bound claims`, async () => await boundCount() === many, { limitMs: 240_000 });
    const handles = (await list('pv')).filter(({ spec }) => spec.claimRef?.namespace === namespace).map(({ spec }) => spec.csi.volumeHandle);
    assert.equal(new Set(handles).size, many);
    assert.equal(handles.length, many);
    await allReady(Selectors.controller, Names.namespace, 2);
    assert.deepEqual(await restartedSince(before), []);
  });

  it('that stops the ruling controller lets the other one go on within 20 s, and nobody else afterwards; containers of its own pod alone are started again', async () => {
    const { namespace } = scene;
    const started = await restarts();
    const before = await leader();
    const stopped = Date.now();
    await signalController(before.node, 'STOP');
    try {
      await apply(claim({ name: 'meanwhile', namespace, size: '2Mi', storageClass: 'famfs-immediate' }));
      const after = await untilSo('another controller rules', async () => {
        const now = await leader();
        return now.pod !== before.pod && now;
      });
      const seconds = (Date.parse(after.since) - stopped) / 1000;
      assert.ok(seconds <= 20, `it took ${seconds} s`);
      await bound('meanwhile', namespace);
    } finally {
      await signalController(before.node, 'CONT');
    }
    // The one that was stopped notices that it rules no longer, ends, and waits again.
    await apply(claim({ name: 'afterwards', namespace, size: '2Mi', storageClass: 'famfs-immediate' }));
    await bound('afterwards', namespace);
    await apply(pod({ name: 'user', namespace, claims: [{ claim: 'afterwards', path: '/data' }] })); // asks the attacher, too
    await running('user', namespace);
    assert.notEqual((await leader()).pod, before.pod);
    await allReady(Selectors.controller, Names.namespace, 2);
    assert.deepEqual((await restartedSince(started)).filter((container) => !container.startsWith(`${before.pod}/`)), []);
  });

  it('of the node plugin is not seen by a pod that uses its volume', async () => {
    const load = await loadIn(scene);
    const moment = Date.now();
    await kubectl(['delete', 'pod', await podOn(load.node, Selectors.node), '-n', Names.namespace, '--grace-period=0', '--force']);
    await allReady(Selectors.node, Names.namespace, 2);
    await endLoad(load, [moment]);
    // The new one unpublishes what the old one has published, and publishes again.
    const { namespace } = scene;
    await apply(pod({ name: 'after', namespace, claims: [{ claim: 'data', path: '/data' }], node: load.node }));
    await running('after', namespace);
  });

  it('of the kubelet is not seen by a pod that uses its volume', async () => {
    const load = await loadIn(scene);
    const moment = Date.now();
    await nodeCommandOn(load.node, ['systemctl', 'restart', 'kubelet']);
    await untilSo('the kubelet is back', async () => (await nodeCommandOn(load.node, ['systemctl', 'is-active', 'kubelet'])).trim() === 'active');
    await allReady(Selectors.node, Names.namespace, 2);
    await endLoad(load, [moment]);
  });

  it('of a whole node lets its pod go on with its volume on the other one', async () => {
    const { namespace, workers } = scene;
    await apply(claim({ name: 'data', namespace }), deployment('app', namespace, 'data'));
    const [first] = await allReady('app=app', namespace);
    const broken = first.spec.nodeName as string;
    const other = workers.find((name) => name !== broken)!;
    const say = (pod: string, script: string) => kubectl(['exec', pod, '-n', namespace, '--', 'sh', '-c', script]);
    await say(first.metadata.name, 'printf before | dd of=/data/data conv=notrunc');
    try {
      await stopNode(broken);
      await untilSo(`${broken} is not ready`, async () => {
        const node = (await list('nodes')).find(({ metadata }) => metadata.name === broken)!;
        return node.status.conditions.find(({ type }: { type: string }) => type === 'Ready').status !== 'True';
      });
      await kubectl(['taint', 'node', broken, 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute']);
      const second = await untilSo(`the pod runs on ${other}`, async () => (await list('pods', namespace, '-l', 'app=app'))
        .find(({ spec, status }) => spec.nodeName === other && status.phase === 'Running'));
      assert.equal(await say(second.metadata.name, 'head -c 6 /data/data'), 'before');
      await remove('deployment', ['app'], namespace);
    } finally {
      await startNode(broken);
    }
    await allReady(Selectors.node, Names.namespace, 2);
    await allReady(Selectors.fused, Names.namespace, 2);
    await allReady(Selectors.controller, Names.namespace, 2);
  });
});

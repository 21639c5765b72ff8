/** The release's own life: upgraded under load, refused to go while in use, gone without a trace, and back. */
import assert from 'node:assert/strict';
import { cluster, driverImage, nextImage, nodeCommandOn } from './support/cluster.ts';
import { apply, get, helm, kubectl, list, run } from './support/kubectl.ts';
import { endLoad, startLoad } from './support/load.ts';
import { claim, Names, pod } from './support/objects.ts';
import { install, Selectors } from './support/release.ts';
import { restartedSince } from './support/restarts.ts';
import { promise } from './support/scene.ts';
import { allReady, bound, remove, running } from './support/states.ts';
import { untilSo } from '../support/until.ts';

async function imagesOf(selector: string): Promise<string[]> {
  return (await list('pods', Names.namespace, '-l', selector)).map(({ spec }) => spec.containers[0].image);
}

promise('the release', (scene) => {
  it('is upgraded to another image without a failed operation in a pod, and without a container that has to be started again', async () => {
    const { namespace, workers } = scene;
    const load = { name: 'load', namespace, claim: 'data', node: workers[0], image: driverImage() };
    await apply(claim({ name: 'data', namespace }));
    await startLoad(load);
    const moments = [Date.now()];
    await install({ image: nextImage() });
    for (const selector of [Selectors.controller, Selectors.node, Selectors.fused]) {
      await untilSo(`${selector} runs the new image`, async () => (await imagesOf(selector)).every((image) => image === nextImage()));
      await allReady(selector, Names.namespace, 2);
      moments.push(Date.now());
    }
    await new Promise((resolve) => setTimeout(resolve, 2000)); // the last moment needs an operation that ends after it
    await endLoad(load, moments);
    assert.deepEqual(await restartedSince(), []);
    await remove('pod', ['load'], namespace);
    await install({ image: driverImage() });
    for (const selector of [Selectors.controller, Selectors.node, Selectors.fused]) await allReady(selector, Names.namespace, 2);
    assert.deepEqual(await restartedSince(), []);
  });

  it('is not uninstalled while volumes are in use, and says which', async () => {
    const { namespace } = scene;
    await apply(claim({ name: 'data', namespace }), pod({ name: 'user', namespace, claims: [{ claim: 'data', path: '/data' }] }));
    await running('user', namespace);
    const volume = await bound('data', namespace);
    const refused = await run('helm', ['uninstall', Names.release, '-n', Names.namespace, '--wait']);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, new RegExp(volume.metadata.name));
    assert.equal(await kubectl(['exec', 'user', '-n', namespace, '--', 'head', '-c', '1', '/data/data']), '\0');
    // helm calls the release "uninstalling" now, and upgrades it again only after a rollback.
    await helm(['rollback', Names.release, '-n', Names.namespace, '--wait']);
    await install({ image: driverImage() });
  });

  it('leaves nothing but the data, and finds them when it is installed again, where each container is started once', async () => {
    const { namespace } = scene;
    const claims = [{ claim: 'data', path: '/data' }];
    await apply(claim({ name: 'data', namespace }), pod({ name: 'writer', namespace, claims }));
    await running('writer', namespace);
    await kubectl(['exec', 'writer', '-n', namespace, '--', 'sh', '-c', 'printf data | dd of=/data/data conv=notrunc']);
    await remove('pod', ['writer'], namespace);
    await untilSo('the volume is detached', async () =>
      (await list('volumeattachments')).every(({ spec }) => spec.attacher !== Names.driver));

    await run('helm', ['uninstall', Names.release, '-n', Names.namespace, '--wait']).then(({ code, stderr }) => assert.equal(code, 0, stderr));
    assert.deepEqual(await traces(), []);

    await install({ image: driverImage() });
    await apply(pod({ name: 'reader', namespace, claims }));
    await running('reader', namespace);
    assert.equal(await kubectl(['exec', 'reader', '-n', namespace, '--', 'head', '-c', '4', '/data/data']), 'data');
    assert.deepEqual(await restartedSince(), []);
  });
});

/** Everything that a release could leave in the cluster and on its nodes, but for volumes. */
async function traces(): Promise<string[]> {
  const found: string[] = [];
  const kinds = ['csidriver', 'clusterrole', 'clusterrolebinding', 'storageclass', 'csistoragecapacity'];
  for (const kind of kinds) {
    const objects = await list(kind);
    found.push(...objects.filter((object) => JSON.stringify(object).includes(Names.driver) ||
      object.metadata.labels?.['app.kubernetes.io/instance'] === Names.release).map(({ metadata }) => `${kind} ${metadata.name}`));
  }
  for (const kind of ['pods', 'leases', 'configmaps', 'serviceaccounts', 'roles', 'rolebindings', 'jobs', 'deployments', 'daemonsets', 'services', 'poddisruptionbudgets', 'networkpolicies']) {
    const objects = await list(kind, Names.namespace);
    found.push(...objects.filter(({ metadata }) => !['default', 'kube-root-ca.crt'].includes(metadata.name)).map(({ metadata }) => `${kind} ${metadata.name}`));
  }
  for (const node of await list('nodes')) {
    const labels = Object.keys(node.metadata.labels ?? {}).filter((key) => key.startsWith(`${Names.driver}/`));
    found.push(...labels.map((key) => `label ${key} of node ${node.metadata.name}`));
    const drivers = (await get('csinode', node.metadata.name)).spec.drivers ?? [];
    if (drivers.some(({ name }: { name: string }) => name === Names.driver)) found.push(`driver of CSINode ${node.metadata.name}`);
  }
  for (const worker of cluster().workers) {
    const mounts = await nodeCommandOn(worker, ['cat', '/proc/1/mountinfo']);
    found.push(...mounts.split('\n').filter((line) => line.includes('fuse.famfs')).map((line) => `mount on ${worker}: ${line}`));
    const sockets = await nodeCommandOn(worker, ['sh', '-c', `find /var/lib/kubelet/plugins /var/lib/kubelet/plugins_registry -name '*${Names.driver}*.sock' -o -path '*${Names.driver}/csi.sock'`]);
    found.push(...sockets.split('\n').filter(Boolean).map((path) => `socket on ${worker}: ${path}`));
  }
  return found;
}

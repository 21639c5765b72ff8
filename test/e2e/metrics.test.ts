/** What operators see: metrics of each role, capacity per pool. */
import assert from 'node:assert/strict';
import { program } from '../harness/paths.ts';
import { cluster } from './support/cluster.ts';
import { apply, exec, kubectl, list, run } from './support/kubectl.ts';
import { claim, Names, pod } from './support/objects.ts';
import { Selectors } from './support/release.ts';
import { promise } from './support/scene.ts';
import { running } from './support/states.ts';
import { untilSo } from '../support/until.ts';

/** The sum of a metric over all series that have these labels. */
function sum(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  return text.split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** The metrics of all pods of a role. */
async function metrics(selector: string, port: number): Promise<string> {
  const pods = await list('pods', Names.namespace, '-l', selector);
  const texts = await Promise.all(pods.map(({ metadata }) =>
    kubectl(['get', '--raw', `/api/v1/namespaces/${Names.namespace}/pods/${metadata.name}:${port}/proxy/metrics`])));
  return texts.join('\n');
}

async function freeBytes(): Promise<number> {
  const { stdout } = await run(program, ['df', cluster().pools[0], '--json']);
  return (JSON.parse(stdout) as { freeBytes: number }).freeBytes;
}

promise('an operator', (scene) => {
  it('sees one leader, the bytes of each pool, the calls, and the operations of pods', async () => {
    const { namespace } = scene;
    await apply(claim({ name: 'data', namespace }), pod({ name: 'user', namespace, claims: [{ claim: 'data', path: '/data' }] }));
    await running('user', namespace);
    const before = sum(await metrics(Selectors.fused, 9810), 'famfs_fuse_operations_total', { operation: 'WRITE' });
    await exec('user', namespace, ['sh', '-c', 'printf x | dd of=/data/data conv=notrunc']);
    const after = sum(await metrics(Selectors.fused, 9810), 'famfs_fuse_operations_total', { operation: 'WRITE' });
    assert.ok(after > before, `${before} writes before, ${after} after`);

    const controller = await metrics(Selectors.controller, 9808);
    assert.equal(sum(controller, 'famfs_leader'), 1);
    assert.equal(sum(controller, 'famfs_pool_bytes', { pool: 'p0', state: 'free' }), await freeBytes());
    assert.ok(sum(controller, 'famfs_csi_call_seconds_count', { method: 'CreateVolume', code: 'OK' }) > 0);
    const node = await metrics(Selectors.node, 9809);
    assert.equal(sum(node, 'famfs_node_registered'), 2);
    assert.ok(sum(node, 'famfs_csi_call_seconds_count', { method: 'NodePublishVolume', code: 'OK' }) > 0);
  });

  it('sees the capacity of each class, which follows what is free', async () => {
    await untilSo('the published capacity is what is free', async () => {
      const capacities = (await list('csistoragecapacities', Names.namespace)).filter(({ storageClassName }) => storageClassName === 'famfs');
      const free = await freeBytes();
      return capacities.length > 0 && capacities.every(({ capacity }) => bytesOf(capacity) === free);
    });
  });
});

/** A quantity as the provisioner writes it. */
function bytesOf(quantity: string): number {
  const [, number, unit] = /^(\d+)(Ki|Mi|Gi)?$/.exec(quantity) ?? [];
  return Number(number) * { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }[unit ?? '']!;
}

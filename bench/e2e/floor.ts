/** The floor: a driver that does nothing, deployed as the chart deploys ours. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAllYaml } from '@kubernetes/client-node';
import { driverImage } from '../../test/e2e/support/cluster.ts';
import { apply, helm, kubectl, type KubeObject, list } from '../../test/e2e/support/kubectl.ts';
import { nodeCommand } from '../../test/e2e/support/load.ts';
import { allReady } from '../../test/e2e/support/states.ts';
import { untilSo } from '../../test/support/until.ts';
import { root } from '../../test/harness/paths.ts';

/** Names of the floor. */
export const Floor = { driver: 'floor.famfs.io', storageClass: 'floor', release: 'floor', namespace: 'floor-system' } as const;

/** The scripts of the floor. */
const SCRIPTS = 'floor-scripts';

/** Deploys the floor from the chart's own objects: what differs from ours is the driver's container alone. */
export async function deployFloor(): Promise<void> {
  const [repository, tag] = driverImage().split(':');
  const rendered = await helm([
    'template', Floor.release, join(root, 'deploy/helm/famfs-csi'), '--namespace', Floor.namespace, '--no-hooks',
    '--values', join(root, 'test/e2e/values.yaml'), '--set', `driverName=${Floor.driver},image.repository=${repository}`, '--set-string', `image.tag=${tag}`,
    '--set', 'controller.replicas=1', '--set-json', `storageClasses=[{"name":"${Floor.storageClass}","parameters":{"pool":"p0"}}]`,
  ]);
  const objects = (loadAllYaml(rendered) as (KubeObject | null)[]).filter((object) => object !== null);
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: Floor.namespace } });
  await apply(scripts(), ...objects.filter(({ metadata }) => !metadata.name.endsWith('-fused')).map(namespaced).map(emptied));
  await allReady('app.kubernetes.io/component=node', Floor.namespace, 2);
  await allReady('app.kubernetes.io/component=controller', Floor.namespace, 1);
  await untilSo('the floor is registered', async () =>
    (await list('csinodes')).filter(({ spec }) => spec.drivers?.some(({ name }: { name: string }) => name === Floor.driver)).length === 2);
}

/** Removes the floor. */
export async function removeFloor(): Promise<void> {
  await kubectl(['delete', 'namespace', Floor.namespace, '--wait=true']);
  for (const kind of ['csidriver', 'storageclass', 'clusterrole', 'clusterrolebinding']) {
    await kubectl(['delete', kind, '-l', `app.kubernetes.io/instance=${Floor.release}`]);
  }
}

function scripts(): KubeObject {
  const data = { 'floor.mjs': readFileSync(new URL('./floor.mjs', import.meta.url), 'utf8') };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: SCRIPTS, namespace: Floor.namespace }, data };
}

/** What helm install would add. */
function namespaced(object: KubeObject): KubeObject {
  const ofCluster = ['CSIDriver', 'StorageClass', 'ClusterRole', 'ClusterRoleBinding'].includes(object.kind);
  return ofCluster ? object : { ...object, metadata: { ...object.metadata, namespace: Floor.namespace } };
}

/** The same workload with the floor in place of the driver. */
function emptied(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment' && object.kind !== 'DaemonSet') return object;
  const spec = object.spec.template.spec;
  const role = object.kind === 'DaemonSet' ? 'node' : 'controller';
  const driver = spec.containers[0];
  const argument = (name: string) => driver.args.find((text: string) => text.startsWith(`--${name}=`))?.slice(name.length + 3);
  const socket = (argument('sidecar-endpoint') ?? argument('endpoint')).replace(/^unix:\/\//, '');
  driver.command = nodeCommand('/floor/floor.mjs', role, Floor.driver, '$(NODE_NAME)', socket, argument('registration-dir') ?? '-');
  driver.args = [];
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) delete driver[probe];
  driver.volumeMounts.push({ name: 'floor', mountPath: '/floor' });
  spec.volumes.push({ name: 'floor', configMap: { name: SCRIPTS } });
  return object;
}

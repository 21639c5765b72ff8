/** The chart's release, installed from the working tree. */
import { join } from 'node:path';
import { root } from '../../harness/paths.ts';
import { cluster } from './cluster.ts';
import { helm, list } from './kubectl.ts';
import { Names } from './objects.ts';
import { allReady } from './states.ts';
import { until } from './wait.ts';

const chart = join(root, 'deploy/helm/famfs-csi');
const values = join(root, 'test/e2e/values.yaml');

const ofRole = (role: string) => `app.kubernetes.io/instance=${Names.release},app.kubernetes.io/component=${role}`;

/** The pods of each role. */
export const Selectors = { controller: ofRole('controller'), node: ofRole('node'), fused: ofRole('fused') } as const;

/** The image built from the working tree. */
export const driverImage = () => 'famfs-csi:e2e';

/** The same under another name: what an upgrade goes to. */
export const nextImage = () => 'famfs-csi:e2e-next';

export interface InstallWish {
  image: string;
  /** More values, as helm's --set-json takes them. */
  more?: Record<string, unknown>;
}

/** Installs or upgrades the release, as the documentation says; waits until nothing is left to do. */
export async function install({ image, more = {} }: InstallWish): Promise<void> {
  const [repository, tag] = image.split(':');
  await helm([
    'upgrade', '--install', Names.release, chart, '--namespace', Names.namespace, '--create-namespace',
    '--values', values, '--set', `image.repository=${repository},image.tag=${tag}`,
    ...Object.entries(more).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
    '--wait', '--timeout', '4m',
  ]);
  await allReady(Selectors.node, Names.namespace, 2);
  await until('both workers offer the driver', async () => {
    const nodes = await list('csinodes');
    const drivers = nodes.filter(({ spec }) => spec.drivers?.some(({ name }: { name: string }) => name === Names.driver));
    return drivers.length >= cluster().workers.length;
  });
}

let installed: Promise<void> | undefined;

/** Installs the release once in a test run. */
export function ensureRelease(): Promise<void> {
  installed ??= install({ image: driverImage() });
  return installed;
}

/** The chart's release, installed from the working tree. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadYaml } from '@kubernetes/client-node';
import { root } from '../../harness/paths.ts';
import { cluster, driverImage } from './cluster.ts';
import { helm, list } from './kubectl.ts';
import { Names } from './objects.ts';
import { allReady } from './states.ts';
import { untilSo } from '../../support/until.ts';

/** The chart of the working tree. */
export const chart = join(root, 'deploy/helm/famfs-csi');
const values = join(root, 'test/e2e/values.yaml');

/** The pools that the values name. */
export const poolsOfRelease = (loadYaml(readFileSync(values, 'utf8')) as { pools: object[] }).pools;

const ofRole = (role: string) => `app.kubernetes.io/instance=${Names.release},app.kubernetes.io/component=${role}`;

/** The pods of each role. */
export const Selectors = { controller: ofRole('controller'), node: ofRole('node'), fused: ofRole('fused') } as const;

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
    '--values', values, '--set', `image.repository=${repository}`, '--set-string', `image.tag=${tag}`, // it may look like a number
    ...Object.entries(more).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
    '--wait', '--timeout', '4m',
  ]);
  for (const selector of [Selectors.node, Selectors.fused]) await allReady(selector, Names.namespace, 2);
  // A node plugin registers with the pools it finds, and again when there are more.
  await untilSo('both workers offer the driver with every pool of the values', async () => {
    const nodes = await list('csinodes');
    const offering = nodes.filter(({ spec }) => spec.drivers?.some(({ name, topologyKeys }: { name: string; topologyKeys?: string[] }) =>
      name === Names.driver && (topologyKeys?.length ?? 0) >= poolsOfRelease.length));
    return offering.length >= cluster().workers.length;
  });
}

let installed: Promise<void> | undefined;

/** Installs the release once in a test run. */
export function ensureRelease(): Promise<void> {
  return installed ??= install({ image: driverImage() });
}

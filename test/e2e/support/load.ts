/** Pods that write, read back and compare while something is done to the driver under them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { driverImage } from './cluster.ts';
import { apply, exec, kubectl, type KubeObject } from './kubectl.ts';
import { claim, pod } from './objects.ts';
import type { TestScene } from './scene.ts';
import { running, succeeded } from './states.ts';
import { untilSo } from '../../support/until.ts';

/** What the load prints once it works. */
const LOADING = 'loading';
/** What the issue of any fault is measured by. */
const LEAST_OPERATIONS = 1000;

interface LoadSum {
  operations: number;
  failed: number;
  failures: string[];
  /** Beginning and end of each slow operation, ms since 1970. */
  slow: [number, number][];
}

export interface LoadPlace {
  name: string;
  namespace: string;
  claim: string;
  node?: string;
  image: string;
}

/** The ConfigMap with the scripts that pods run. */
export function scripts(namespace: string): KubeObject {
  const text = (name: string) => readFileSync(new URL(`../pod/${name}`, import.meta.url), 'utf8');
  return {
    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'scripts', namespace },
    data: { 'load.mjs': text('load.mjs'), 'mapped.mjs': text('mapped.mjs') },
  };
}

/** A pod of the driver's image that has the scripts at /scripts and a claim at /data. */
export function scriptPod({ name, namespace, claim, node, image }: LoadPlace, command: readonly string[]): KubeObject {
  const made = pod({
    name, namespace, image, command, claims: [{ claim, path: '/data' }], ...(node === undefined ? {} : { node }),
    spec: { restartPolicy: 'Never' },
  });
  made.spec.containers[0].volumeMounts.push({ name: 'scripts', mountPath: '/scripts' });
  made.spec.volumes.push({ name: 'scripts', configMap: { name: 'scripts' } });
  return made;
}

/** Starts a load on the file of a claim's volume; resolves when there is an operation at every moment. */
export async function startLoad(place: LoadPlace): Promise<void> {
  await apply(scripts(place.namespace), scriptPod(place, nodeCommand('/scripts/load.mjs', '/data/data')));
  await running(place.name, place.namespace);
  await untilSo('the load works', async () => (await kubectl(['logs', place.name, '-n', place.namespace])).includes(LOADING));
}

/** A load on a volume of its own, on the first worker. */
export async function loadIn({ namespace, workers }: TestScene): Promise<LoadPlace & { readonly node: string }> {
  const place = { name: 'load', namespace, claim: 'data', node: workers[0], image: driverImage() };
  await apply(claim({ name: 'data', namespace }));
  await startLoad(place);
  return place;
}

/**
 * Ends a load. Asserts that no operation failed, that there were enough of them, and that at least one
 * had begun before and ended after each of the moments.
 */
export async function endLoad({ name, namespace }: LoadPlace, moments: readonly number[]): Promise<void> {
  await untilSo('the load is told to stop', async () => {
    const { code, stderr } = await exec(name, namespace, ['touch', '/tmp/stop']); // the kubelet may just be away
    if (code !== 0) throw new Error(stderr);
    return true;
  });
  await succeeded(name, namespace);
  const sum = JSON.parse((await kubectl(['logs', name, '-n', namespace])).trim().split('\n').at(-1)!) as LoadSum;
  assert.equal(sum.failed, 0, sum.failures.join('\n'));
  assert.ok(sum.operations >= LEAST_OPERATIONS, `only ${sum.operations} operations`);
  for (const moment of moments) {
    assert.ok(sum.slow.some(([begin, end]) => begin < moment && moment < end), `no operation around ${new Date(moment).toISOString()}`);
  }
}

/** Runs a script with the Node.js of the driver's image. */
export function nodeCommand(...args: string[]): string[] {
  return ['sh', '-c', 'FAMFS_ROOT=$(dirname "$(dirname "$(readlink -f "$(command -v famfs-csi)")")"); export FAMFS_ROOT; ' +
    'exec "$FAMFS_ROOT/node_modules/.bin/node" "$@"', 'sh', ...args];
}

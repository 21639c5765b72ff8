import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { startCluster, stopCluster } from '../test/e2e/support/cluster.ts';
import { apply, environment, kubectl } from '../test/e2e/support/kubectl.ts';
import { claim, Names, pod } from '../test/e2e/support/objects.ts';
import { ensureRelease } from '../test/e2e/support/release.ts';
import { untilSo } from '../test/support/until.ts';
import { deployFloor, Floor, removeFloor } from './e2e/floor.ts';
import { type BenchResult, median } from './result.ts';

const ROUNDS = 10;
const NAMESPACE = 'bench';
const POLL_MS = 20;
const LIMIT = 1.1;

/**
 * What a volume adds to the start and the end of a pod: from `kubectl apply` of claim and pod to
 * Running, and from their deletion until the PersistentVolume is gone, beside a driver that does
 * nothing in the same cluster, with the same sidecars and settings. Rounds alternate.
 */
export async function run(): Promise<BenchResult[]> {
  await startCluster({ install: process.env['CI'] === 'true', stock: false });
  try {
    await ensureRelease();
    return await comparePodStart();
  } finally {
    if (process.env['FAMFS_E2E_KEEP'] !== 'true') await stopCluster();
  }
}

/** The comparison, in a cluster where our release runs. */
export async function comparePodStart(): Promise<BenchResult[]> {
  await deployFloor();
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const config = new KubeConfig();
  config.loadFromFile(environment.kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const ours: Round[] = [];
  const floor: Round[] = [];
  try {
    for (let round = -1; round < ROUNDS; round++) { // the first one warms up
      const [a, b] = [await measure(api, Names.storageClass), await measure(api, Floor.storageClass)];
      if (round < 0) continue;
      ours.push(a);
      floor.push(b);
    }
  } finally {
    await kubectl(['delete', 'namespace', NAMESPACE, '--wait=true']);
    await removeFloor();
  }
  return [
    compare('claim and pod until Running / the floor', ours.map(({ start }) => start), floor.map(({ start }) => start)),
    compare('their deletion until the volume is gone / the floor', ours.map(({ end }) => end), floor.map(({ end }) => end)),
  ];
}

/** Milliseconds. */
interface Round {
  readonly start: number;
  readonly end: number;
}

async function measure(api: CoreV1Api, storageClass: string): Promise<Round> {
  const began = performance.now();
  await apply(
    claim({ name: 'data', namespace: NAMESPACE, storageClass }),
    pod({ name: 'user', namespace: NAMESPACE, claims: [{ claim: 'data', path: '/data' }] }),
  );
  await poll(async () => (await api.readNamespacedPod({ name: 'user', namespace: NAMESPACE })).status?.phase === 'Running');
  const start = performance.now() - began;

  const deleted = performance.now();
  await kubectl(['delete', 'pod/user', 'pvc/data', '-n', NAMESPACE, '--wait=false']);
  await poll(async () => !(await api.listPersistentVolume()).items.some(({ spec }) => spec?.claimRef?.namespace === NAMESPACE));
  const end = performance.now() - deleted;
  await poll(async () => (await api.listNamespacedPod({ namespace: NAMESPACE })).items.length === 0);
  return { start, end };
}

async function poll(done: () => Promise<boolean>): Promise<void> {
  await untilSo('a pod or a volume comes or goes', done, { everyMs: POLL_MS });
}

function compare(name: string, ours: readonly number[], floor: readonly number[]): BenchResult {
  const seconds = (values: readonly number[]) => `${(median(values) / 1000).toFixed(2)} s (${(Math.min(...values) / 1000).toFixed(2)} to ${(Math.max(...values) / 1000).toFixed(2)})`;
  return { name, ratio: median(ours) / median(floor), limit: LIMIT, detail: `median of ${ours.length}: ${seconds(ours)} against ${seconds(floor)}` };
}

/** What every end-to-end test stands in: the cluster, the release, a namespace of its own. */
import { cluster, saveLogs } from './cluster.ts';
import { apply, kubectl, list } from './kubectl.ts';
import { expectNoLeaks } from './leaks.ts';
import { Names } from './objects.ts';
import { ensureRelease } from './release.ts';
import { untilSo } from '../../support/until.ts';

/** A fault may cost a minute until Kubernetes notices it. */
const TEST_MS = 1_800_000;

/** A test's view of the cluster. */
export interface TestScene {
  /** Names of the worker nodes. */
  readonly workers: readonly [string, string];
  /** The test's own namespace: new for each test, empty after it and soon gone. */
  readonly namespace: string;
}

let lastNamespace = 0;

/** A suite of end-to-end tests: each finds the driver installed, and leaves nothing but the pool. */
export function promise(title: string, body: (scene: TestScene) => void): void {
  describe(title, function () {
    this.timeout(TEST_MS);
    let namespace = '';
    const scene: TestScene = {
      get workers() {
        return cluster().workers;
      },
      get namespace() {
        return namespace;
      },
    };
    before(() => ensureRelease());
    beforeEach(async () => {
      namespace = `e2e-${++lastNamespace}`;
      await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await untilSo('the default service account', async () =>
        (await list('serviceaccounts', namespace)).some(({ metadata }) => metadata.name === 'default'));
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') { // before its pods go
        console.log(`       logs of nodes and pods: ${await saveLogs(namespace).catch(String)}`);
      }
      await clearNamespace(namespace);
      if (this.currentTest?.state === 'failed') await clearVolumesOf(namespace); // or the next ones would fail too
      const { workers, pools } = cluster();
      await expectNoLeaks({ pools, workers, namespace: Names.namespace });
    });
    body(scene);
  });
}

/**
 * Waits until pods and claims are gone, and lets the namespace go in its own time: Kubernetes looks at a namespace
 * that is not empty yet only every eight seconds, several times.
 */
async function clearNamespace(namespace: string): Promise<void> {
  const all = ['-n', namespace, '--all', '--wait=true', '--timeout=170s'];
  await kubectl(['delete', 'statefulsets,deployments,jobs', '--cascade=foreground', ...all]);
  await kubectl(['delete', 'pods,persistentvolumeclaims', ...all]);
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
}

/** Deletes what a test that ended in its middle has not: retained and static volumes. */
async function clearVolumesOf(namespace: string): Promise<void> {
  const volumes = (await list('pv')).filter(({ spec }) => spec.claimRef?.namespace === namespace);
  for (const { metadata: { name }, spec } of volumes) {
    const dynamic = spec.storageClassName !== '';
    await kubectl(dynamic ? ['patch', 'pv', name, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'] : ['delete', 'pv', name]);
  }
}

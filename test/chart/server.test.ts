/** The chart against a real API server: what it accepts, what an upgrade may change, and how a release ends. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  AdmissionregistrationV1Api, AppsV1Api, AuthorizationV1Api, BatchV1Api, CoreV1Api, PatchStrategy, setHeaderOptions, type KubeConfig,
} from '@kubernetes/client-node';
import { ensurePrograms } from '../cluster/programs.ts';
import { apiServer, type ApiServer } from '../kube/api-server.ts';
import { putUpSign } from '../kube/rights.ts';
import { until } from '../support/until.ts';
import {
  chart, type Ending, examples, exampleValues, helm, startHelm, template, text, valueArguments, type Wish,
} from './support.ts';

const release = 'famfs';
const simulated = { pools: [{ name: 'p0', device: '/dev/sim/pool' }] };

interface Api {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly authorization: AuthorizationV1Api;
  readonly admission: AdmissionregistrationV1Api;
}

function apiOf(config: KubeConfig): Api {
  return {
    core: config.makeApiClient(CoreV1Api), apps: config.makeApiClient(AppsV1Api),
    batch: config.makeApiClient(BatchV1Api), authorization: config.makeApiClient(AuthorizationV1Api),
    admission: config.makeApiClient(AdmissionregistrationV1Api),
  };
}

describe('chart on an API server', function () {
  this.timeout(20 * 60_000);
  let server: ApiServer;
  let api: Api;
  let kubeconfig: string;
  let kubectl: string;

  before(async () => {
    kubectl = join(await ensurePrograms(['kubectl']), 'kubectl');
    server = await apiServer();
    api = apiOf(server.api().config);
    kubeconfig = server.kubeconfigFile();
  });

  /** Has the server judge objects as if it took them. */
  function dryRun(objects: string, namespace: string): void {
    const args = ['apply', '--kubeconfig', kubeconfig, '--namespace', namespace, '--dry-run=server', '--validate=strict', '--filename=-'];
    const { status, stderr } = spawnSync(kubectl, args, { input: objects, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /Warning:/);
  }

  for (const files of [[], ...exampleValues.map((name) => [name])]) {
    it(`makes of ${files[0] ?? 'its own values'} what the server takes`, async () => {
      const namespace = await server.namespace();
      const { code, output } = template({ files, namespace, apis: ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy'] });
      assert.equal(code, 0, output);
      const members = `${namespace}-members`;
      await server.api().core.createNamespace({ body: { metadata: { name: members } } }); // it comes before what is in it
      // A PodMonitor is the Prometheus operator's, which is not here.
      const objects = output.split(/^---$/m).filter((object) => !/^kind: (PodMonitor|Namespace)$/m.test(object));
      const isTheirs = (object: string) => object.includes(`\n  namespace: ${members}\n`);
      dryRun(objects.filter((object) => !isTheirs(object)).join('---'), namespace);
      dryRun(objects.filter(isTheirs).join('---'), members);
    });
  }

  for (const name of examples) {
    it(`has an example ${name} that the server takes`, async () => dryRun(text(`examples/${name}`), await server.namespace()));
  }

  describe('as a release', () => {
    let namespace: string;

    beforeEach(async () => {
      namespace = await server.namespace();
      succeeded(helmIn(namespace, 'install', release, chart, ...valueArguments({ values: simulated })));
    });
    afterEach(() => void helmIn(namespace, 'uninstall', release, '--no-hooks'));

    const helmIn = (place: string, ...args: string[]) => helm([...args, '--namespace', place, '--kubeconfig', kubeconfig]);
    const upgrade = (wish: Wish) => helmIn(namespace, 'upgrade', release, chart, ...valueArguments(wish));

    it('tells how to go on', () => {
      const { output } = helmIn(namespace, 'get', 'notes', release);
      assert.match(output, /famfs-csi mkfs \/dev\/sim\/pool\n/);
      assert.match(output, /storageClassName: famfs/);
      const formats = helmIn(namespace, 'upgrade', release, chart, '--set-json', 'pools=[{"name":"p0","device":"/dev/sim/pool","format":"ifEmpty"}]');
      assert.doesNotMatch(formats.output, /famfs-csi mkfs/);
    });

    it('is upgraded to other pools', async () => {
      succeeded(upgrade({ values: { pools: [...simulated.pools, { name: 'p1', device: '/dev/sim/other' }], storageClasses: [] } }));
      const { data } = await api.core.readNamespacedConfigMap({ name: `${release}-famfs-csi-pools`, namespace });
      assert.match(data!['pools.json']!, /\/dev\/sim\/other/);
    });

    it('never becomes another driver\'s, whose volumes it would leave behind', () => {
      const { code, output } = upgrade({ values: { ...simulated, driverName: 'other.famfs.io' } });
      assert.notEqual(code, 0);
      assert.match(output, /driverName: .*"csi\.famfs\.io".*second release/);
    });

    it('says why it cannot begin or cease to attach', () => {
      const { code, output } = upgrade({ values: { ...simulated, attach: false } });
      assert.notEqual(code, 0);
      assert.match(output, /attach: is true in this release/);
    });

    it('gives each account what its program asks for, and nobody secrets', async () => {
      type Right = readonly [account: string, verb: string, group: string, resource: string, namespace?: string, name?: string];
      const asked: readonly Right[] = [
        ['controller', 'get', '', 'namespaces', 'kube-system', 'kube-system'],
        ['data-plane', 'get', '', 'namespaces', 'kube-system', 'kube-system'],
        ['controller', 'update', 'coordination.k8s.io', 'leases', namespace],
        ['controller', 'list', 'coordination.k8s.io', 'leases', namespace],
        ['controller', 'patch', '', 'nodes'],
        ['controller', 'create', '', 'events', 'default'],
        ['controller', 'watch', '', 'persistentvolumeclaims'],
        ['controller', 'create', 'storage.k8s.io', 'csistoragecapacities', namespace],
        ['controller', 'patch', 'storage.k8s.io', 'volumeattachments'],
        ['controller', 'delete', 'coordination.k8s.io', 'leases', `${namespace}-members`],
        ['controller', 'get', '', 'namespaces', `${namespace}-members`],
        ['data-plane', 'get', 'coordination.k8s.io', 'leases', namespace],
        ['data-plane', 'update', 'coordination.k8s.io', 'leases', `${namespace}-members`],
        ['data-plane', 'list', '', 'persistentvolumes'],
        ['data-plane', 'create', '', 'events', 'default'],
      ];
      for (const [account, ...right] of asked) assert.equal(await may(account, ...right), true, `${account}: ${right.join(' ')}`);
      const forbidden: readonly Right[] = [
        ...['create', 'update', 'patch', 'delete', 'deletecollection'].map((verb) => ['data-plane', verb, 'coordination.k8s.io', 'leases', namespace] as const),
        ['data-plane', 'get', 'coordination.k8s.io', 'leases', 'kube-system'],
        ['data-plane', 'patch', '', 'nodes'],
        ['data-plane', 'get', '', 'namespaces', namespace, namespace],
        ['fused', 'get', 'coordination.k8s.io', 'leases', namespace],
        ['node', 'get', '', 'namespaces', 'kube-system', 'kube-system'],
        ['node', 'get', '', 'nodes'],
        ['node', 'get', 'coordination.k8s.io', 'leases', namespace],
        ...['controller', 'node', 'data-plane'].map((account) => [account, 'get', '', 'secrets', namespace] as const),
      ];
      for (const [account, ...right] of forbidden) assert.equal(await may(account, ...right), false, `${account}: ${right.join(' ')}`);
    });

    async function may(account: string, verb: string, group: string, resource: string, where = '', name = ''): Promise<boolean> {
      const user = `system:serviceaccount:${namespace}:${release}-famfs-csi-${account}`;
      const review = await api.authorization.createSubjectAccessReview({
        body: { spec: { user, resourceAttributes: { verb, group, resource, namespace: where, name } } },
      });
      return review.status?.allowed === true;
    }

    it('keeps the account of earlier data planes until the last of them is replaced', async () => {
      const account = `${release}-famfs-csi-fused`;
      const set = { name: account, namespace };
      const hasAccount = async () => (await api.core.listNamespacedServiceAccount({ namespace })).items.some(({ metadata }) => metadata!.name === account);
      assert.equal(await hasAccount(), false, 'in an installation');
      // As an earlier chart has left it.
      await api.core.createNamespacedServiceAccount({ namespace, body: { metadata: {
        name: account, labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': namespace },
      } } });
      const daemonSet = await api.apps.readNamespacedDaemonSet(set);
      daemonSet.spec!.template.spec!.serviceAccountName = account;
      await api.apps.replaceNamespacedDaemonSet({ ...set, body: daemonSet });
      const tell = async (updated: number) => {
        const { metadata } = await api.apps.readNamespacedDaemonSet(set);
        const status = { observedGeneration: metadata!.generation!, desiredNumberScheduled: 3, updatedNumberScheduled: updated, currentNumberScheduled: 3, numberMisscheduled: 0, numberReady: 3 };
        await api.apps.patchNamespacedDaemonSetStatus({ ...set, body: { status } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
      };
      await tell(3);
      succeeded(upgrade({ values: simulated }));
      assert.equal(await hasAccount(), true, 'its template was the earlier one');
      await tell(2);
      succeeded(upgrade({ values: simulated }));
      assert.equal(await hasAccount(), true, 'a pod is of the earlier version');
      await tell(3);
      succeeded(upgrade({ values: simulated }));
      assert.equal(await hasAccount(), false);
    });

    it('never moves its members to another namespace, which their hosts would not be told of', async () => {
      await putUpSign(server, namespace, 'csi.famfs.io');
      const { code, output } = upgrade({ values: { ...simulated, 'members.namespace': 'elsewhere' } });
      assert.notEqual(code, 0);
      assert.match(output, /members\.namespace: the members of csi\.famfs\.io are in ".*-members"/);
      succeeded(upgrade({ values: simulated }));
    });

    it('stays whole when its uninstallation is refused, and is upgraded again after a rollback', async () => {
      const refused = startHelm(['uninstall', release, '--namespace', namespace, '--kubeconfig', kubeconfig]);
      await end('check', 'Failed', refused);
      const { code, output } = await refused;
      assert.notEqual(code, 0);
      assert.match(output, /uninstall-check failed/);
      await api.apps.readNamespacedDeployment({ name: `${release}-famfs-csi-controller`, namespace });
      assert.deepEqual(await hookObjects(), [], 'of the question itself nothing stays');

      // What docs/troubleshooting.md says: helm counts the release as one that is going.
      assert.match(upgrade({ values: simulated }).output, /has no deployed releases/);
      succeeded(helmIn(namespace, 'rollback', release, '1'));
      succeeded(upgrade({ values: simulated }));
    });

    it('leaves nothing but the namespace of its members when it is uninstalled, and is installed again', async () => {
      const going = startHelm(['uninstall', release, '--namespace', namespace, '--kubeconfig', kubeconfig]);
      await end('check', 'Complete', going);
      await end('clean', 'Complete', going);
      succeeded(await going);
      const kinds = 'deployments,daemonsets,configmaps,serviceaccounts,roles,rolebindings,jobs,secrets,poddisruptionbudgets,csidrivers,storageclasses,clusterroles,clusterrolebindings';
      const { stdout } = spawnSync(kubectl, [
        'get', kinds, '--kubeconfig', kubeconfig, '--namespace', namespace, '--selector', `app.kubernetes.io/instance=${release}`, '--output', 'name',
      ], { encoding: 'utf8' });
      assert.equal(stdout, '');
      const policies = await api.admission.listValidatingAdmissionPolicy();
      assert.deepEqual(policies.items.filter(({ metadata }) => metadata!.name!.includes(namespace)), []);
      await api.core.readNamespace({ name: `${namespace}-members` }); // stays: a host that was away may have a record there
      succeeded(helmIn(namespace, 'install', release, chart, ...valueArguments({ values: simulated })));
    });

    async function hookObjects(): Promise<string[]> {
      const accounts = await api.core.listNamespacedServiceAccount({ namespace });
      return accounts.items.map(({ metadata }) => metadata!.name!).filter((name) => name.includes('uninstall'));
    }

    /** Ends a hook's Job as the controllers of a whole cluster would, when it is there. */
    async function end(hook: 'check' | 'clean', type: 'Complete' | 'Failed', helmEnds: Promise<Ending>): Promise<void> {
      const job = { name: `${release}-famfs-csi-uninstall-${hook}`, namespace };
      let ended = false;
      void helmEnds.then(() => { ended = true; });
      await until(() => api.batch.readNamespacedJob(job), {
        everyMs: 50, hopeless: () => (ended ? `helm ended without the Job ${job.name}` : undefined), describe: async () => (ended ? (await helmEnds).output : ''),
      });
      const now = new Date().toISOString();
      const condition = (name: string) => ({ type: name, status: 'True', lastTransitionTime: now, lastProbeTime: now });
      const status = type === 'Complete'
        ? { startTime: now, completionTime: now, succeeded: 1, conditions: [condition('SuccessCriteriaMet'), condition(type)] }
        : { startTime: now, failed: 1, conditions: [condition('FailureTarget'), condition(type)] };
      await api.batch.patchNamespacedJobStatus({ ...job, body: { status } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
    }
  });
});

function succeeded({ code, output }: Ending): void {
  assert.equal(code, 0, output);
}

/** The real sidecars of a controller: they end with their own driver, and for nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrograms } from '../cluster/programs.ts';
import { hasEnded, type Role, startRole } from '../demo/host.ts';
import { root } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';
import { newPool } from '../support/pools.ts';
import { until, untilSo } from '../support/until.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { ControllerPod, type PoolEntry } from './controller-pod.ts';
import { grant } from './rights.ts';

/** Each sidecar's arguments beside the socket, and what it says when it has asked the driver all that it asks first. */
const sidecars = {
  'csi-attacher': { args: ['--timeout=30s', '--v=2'], works: /supports ControllerPublishUnpublish, using real CSI handler/ },
  'csi-provisioner': { args: ['--timeout=30s', '--immediate-topology=false', '--v=2'], works: /Started provisioner controller/ },
} as const;
type Sidecar = keyof typeof sidecars;
const names = Object.keys(sidecars) as Sidecar[];

/** What a sidecar says once its connection is there, and again and again while it waits. */
const PROBING = /Probing CSI driver for readiness/;

describe('the sidecars of a controller', () => {
  const driver = 'csi.example.org';
  let server: ApiServer;
  let programs: string;
  let namespace: string;
  let pools: PoolEntry[];
  const pods: ControllerPod[] = [];
  const roles: Role[] = [];

  before(async () => {
    programs = await ensurePrograms(names);
    server = await apiServer();
  });
  beforeEach(async () => {
    namespace = await server.namespace();
    await grant(server, 'controller', namespace);
    const clusterUuid = (await server.api().core.readNamespace({ name: 'kube-system' })).metadata!.uid!;
    pools = [{ name: 'p0', device: await newPool(32, { clusterUuid }) }];
  });
  afterEach(async () => {
    for (const { child } of roles.splice(0)) child.kill('SIGKILL');
    await Promise.all(pods.splice(0).map((pod) => pod.stop()));
  });

  /** A pod whose driver is busy for seconds while it starts, and its sidecars, all at once, as the kubelet does it. */
  const start = (name: string) => {
    const slow = `NODE_OPTIONS=--import=${join(root, 'test/kube/slow-modules.ts')}`;
    const pod = new ControllerPod(name, { driver, namespace, kubeconfig: server.kubeconfigFile('controller'), pools, environment: [slow] });
    pods.push(pod);
    pod.start();
    const directory = tempDir(`sidecars-of-${name}`);
    const kubeconfig = server.kubeconfigFile();
    const started = names.map((sidecar) => startRole(sidecar, [], [
      join(programs, sidecar), `--csi-address=${pod.sidecarSocket}`, `--kubeconfig=${kubeconfig}`, ...sidecars[sidecar].args,
    ], join(directory, sidecar)));
    roles.push(...started);
    return { pod, started };
  };
  const ended = (all: readonly Role[]) => all.filter(({ child }) => hasEnded(child)).map(({ name }) => name);
  const says = (role: Role, pattern: RegExp) => untilSo(`${role.name} says ${pattern}`, () => pattern.test(readFileSync(role.logFile, 'utf8')), {
    hopeless: () => (hasEnded(role.child) ? `${role.name} has ended` : undefined), describe: () => readFileSync(role.logFile, 'utf8'),
  });

  it('wait for one that is busy with its start, and work when it leads; a standby\'s go on waiting, and work when it takes over', async () => {
    const first = start('first');
    for (const role of first.started) await says(role, sidecars[role.name as Sidecar].works);
    const second = start('second');
    for (const role of second.started) await says(role, PROBING);
    await until(() => assert.match(readFileSync(second.pod.log, 'utf8'), /waiting for the lease/));
    assert.deepEqual(ended([...first.started, ...second.started]), []);
    first.pod.signal('SIGKILL');
    for (const role of second.started) await says(role, sidecars[role.name as Sidecar].works);
    assert.deepEqual(ended(second.started), []);
  });
});

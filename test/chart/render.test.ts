/** What the chart makes of its values. */
import assert from 'node:assert/strict';
import { HAND_OVER_MS } from '../../src/fused/sessions.ts';
import { LEAVE_MS } from '../../src/node/node.ts';
import { containerOf, exampleValues, find, type Manifest, podOf, render, rights } from './support.ts';

const dax = { name: 'p0', device: '/dev/dax0.0' };
const simulated = { name: 's0', device: '/dev/sim/pool' };
const elsewhere = { name: 's1', device: '/mnt/memory/pool' };

const withPools = (...pools: readonly object[]) => render({ values: { pools, storageClasses: [] } });
const isHook = ({ metadata }: Manifest) => metadata.annotations?.['helm.sh/hook'] !== undefined;

interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly mountPropagation?: string;
}

/** Directories of the host that a pod sees, with the way mounts travel: `path propagation`. */
function hostPaths(object: Manifest, container: string): string[] {
  const mounts = containerOf(object, container).volumeMounts as VolumeMount[];
  const volumes = podOf(object).spec.volumes as { name: string; hostPath?: { path: string } }[];
  return volumes.filter(({ hostPath }) => hostPath).map((volume) => {
    const mount = mounts.find(({ name }) => name === volume.name)!;
    assert.equal(mount.mountPath, volume.hostPath!.path, 'a host path has the same name inside');
    return `${mount.mountPath} ${mount.mountPropagation ?? 'None'}`;
  }).sort();
}

describe('rendered chart', () => {
  it('describes the driver as it is', () => {
    const { metadata, spec } = find(render(), 'CSIDriver');
    assert.equal(metadata.name, 'csi.famfs.io');
    assert.deepEqual(spec, {
      attachRequired: true, storageCapacity: true, podInfoOnMount: true, fsGroupPolicy: 'File', seLinuxMount: false,
      requiresRepublish: false, volumeLifecycleModes: ['Persistent'],
    });
  });

  it('leaves the attacher and its rights out where volumes are not attached', () => {
    const objects = render({ values: { attach: false } });
    assert.equal(find(objects, 'CSIDriver').spec.attachRequired, false);
    const names = podOf(find(objects, 'Deployment')).spec.containers.map(({ name }: { name: string }) => name);
    assert.deepEqual(names, ['controller', 'provisioner']);
    const allowed = rights(find(objects, 'ClusterRole', '-controller'));
    assert.deepEqual(allowed.filter((right) => /volumeattachments.* (patch|update)/.test(right)), []);
  });

  it('has no registrar, no livenessprobe and no electing sidecar', () => {
    const pods = render().filter(({ spec }) => spec?.template !== undefined && spec.template.spec !== undefined);
    const containers = pods.flatMap((object) => podOf(object).spec.containers as { name: string; args: string[] }[]);
    assert.deepEqual([...new Set(containers.map(({ name }) => name))].sort(), ['attacher', 'controller', 'fused', 'node', 'provisioner', 'uninstall']);
    assert.deepEqual(containers.filter(({ args }) => args.some((arg) => arg.includes('leader-election'))), []);
  });

  it('connects sidecars to the socket on which they can wait', () => {
    const deployment = find(render(), 'Deployment');
    assert.ok(containerOf(deployment, 'controller').args.includes('--sidecar-endpoint=unix:///csi/sidecars.sock'));
    for (const name of ['provisioner', 'attacher']) {
      assert.ok(containerOf(deployment, name).args.includes('--csi-address=/csi/sidecars.sock'), name);
    }
  });

  it('gives every long-running container of ours health checks on its own port', () => {
    const objects = render({ values: { 'node.httpPort': 12345 } });
    for (const [kind, role, port] of [['Deployment', 'controller', 9808], ['DaemonSet', 'node', 12345], ['DaemonSet', 'fused', 9810]] as const) {
      const container = containerOf(find(objects, kind, `-${role}`), role);
      assert.ok(container.args.includes(`--http-port=${port}`));
      assert.deepEqual(container.ports, [{ name: 'http', containerPort: port }]);
      assert.equal(container.livenessProbe.httpGet.path, '/healthz');
      assert.equal(container.readinessProbe.httpGet.path, '/readyz');
    }
  });

  it('lets the controller open real devices only as a privileged container', () => {
    const controller = find(withPools(dax), 'Deployment');
    assert.equal(containerOf(controller, 'controller').securityContext.privileged, true);
    assert.deepEqual(hostPaths(controller, 'controller'), ['/dev None', '/run/famfs-csi/csi.famfs.io None']);
    assert.doesNotMatch(containerOf(controller, 'controller').terminationMessagePath, /^\/dev/);
  });

  it('gives the controller of simulated pools their directories and no privilege', () => {
    const controller = find(withPools(simulated, elsewhere, { name: 's2', device: '/dev/sim/other' }), 'Deployment');
    const { securityContext } = containerOf(controller, 'controller');
    assert.equal(securityContext.privileged, false);
    assert.equal(securityContext.allowPrivilegeEscalation, false);
    assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] });
    assert.deepEqual(hostPaths(controller, 'controller'), ['/dev/sim None', '/mnt/memory None', '/run/famfs-csi/csi.famfs.io None']);
  });

  it('mounts for the data plane what it serves, so that its mounts reach the host', () => {
    const fused = find(withPools(dax, simulated, elsewhere), 'DaemonSet', '-fused');
    assert.deepEqual(hostPaths(fused, 'fused'), ['/dev None', '/mnt/memory None', '/run/famfs-csi/csi.famfs.io Bidirectional']);
    assert.doesNotMatch(containerOf(fused, 'fused').terminationMessagePath, /^\/dev/);
  });

  it('gives the node plugin the kubelet and the mounts of the data plane, but no memory and no API', () => {
    const node = find(render({ values: { kubeletDir: '/data/kubelet' } }), 'DaemonSet', '-node');
    assert.deepEqual(hostPaths(node, 'node'), ['/data/kubelet Bidirectional', '/run/famfs-csi/csi.famfs.io HostToContainer']);
    assert.equal(podOf(node).spec.automountServiceAccountToken, false);
    assert.ok(containerOf(node, 'node').args.includes('--endpoint=unix:///data/kubelet/plugins/csi.famfs.io/csi.sock'));
    assert.ok(containerOf(node, 'node').args.includes('--registration-dir=/data/kubelet/plugins_registry'));
  });

  it('has read-only roots everywhere and privileged containers only where the host must see their work', () => {
    for (const object of render({ values: { pools: [simulated], storageClasses: [] } })) {
      for (const { name, securityContext } of object.spec?.template?.spec?.containers ?? []) {
        assert.equal(securityContext.readOnlyRootFilesystem, true, name);
        assert.equal(securityContext.privileged, ['node', 'fused'].includes(name), name);
        assert.equal(podOf(object).spec.securityContext.seccompProfile.type, 'RuntimeDefault');
      }
    }
  });

  it('asks for no secrets and no wildcard, and the node plugin for nothing at all', () => {
    const objects = render();
    for (const role of objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')) {
      assert.deepEqual(rights(role).filter((right) => right.includes('*') || right.includes('secrets')), []);
    }
    const subjects = objects.filter(({ kind }) => kind.endsWith('RoleBinding') || kind === 'ClusterRoleBinding')
      .flatMap((binding) => binding.subjects as { name: string }[]);
    assert.deepEqual(subjects.filter(({ name }) => name.endsWith('-node')), []);
  });

  it('binds only roles and accounts that it makes', () => {
    const objects = render({ values: { 'members.earlierDataPlanes': true } });
    const exists = (kind: string, name: string) =>
      objects.some((object) => object.kind === kind && object.metadata.name === name);
    for (const binding of objects.filter(({ kind }) => kind.endsWith('RoleBinding'))) {
      assert.ok(exists(binding.roleRef.kind, binding.roleRef.name), `${binding.kind} ${binding.metadata.name} names no role`);
      for (const { kind, name } of binding.subjects) assert.ok(exists(kind, name), `${name} is bound and does not exist`);
    }
    for (const object of objects.filter(({ spec }) => spec?.template?.spec)) {
      assert.ok(exists('ServiceAccount', podOf(object).spec.serviceAccountName), object.metadata.name);
    }
  });

  it('replaces the controller when the pools change, and never the data plane', () => {
    const before = withPools(simulated);
    const after = withPools(simulated, { name: 's2', device: '/dev/sim/other' });
    const template = (objects: Manifest[], kind: string, name: string) => JSON.stringify(podOf(find(objects, kind, name)));
    assert.notEqual(template(after, 'Deployment', '-controller'), template(before, 'Deployment', '-controller'));
    assert.equal(template(after, 'DaemonSet', '-fused'), template(before, 'DaemonSet', '-fused'));
    assert.notEqual(find(after, 'ConfigMap').data['pools.json'], find(before, 'ConfigMap').data['pools.json']);
  });

  it('gives each pod more time to end than the program in it takes to leave its sessions to others', () => {
    const objects = render({ files: ['dax.yaml'] });
    const seconds = (name: string) => podOf(find(objects, 'DaemonSet', name)).spec.terminationGracePeriodSeconds as number;
    assert.ok(seconds('-fused') * 1000 > HAND_OVER_MS);
    assert.ok(seconds('-node') * 1000 > LEAVE_MS);
    for (const name of ['-fused', '-node']) assert.equal(find(objects, 'DaemonSet', name).spec.updateStrategy.type, 'RollingUpdate');
  });

  it('runs on amd64 only, on the nodes that have the memory, and where nodes wait for the driver', () => {
    const objects = render({ files: ['dax.yaml'] });
    for (const [kind, name] of [['Deployment', '-controller'], ['DaemonSet', '-node'], ['DaemonSet', '-fused']] as const) {
      const { nodeSelector, tolerations } = podOf(find(objects, kind, name)).spec;
      assert.deepEqual(nodeSelector, { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', 'example.com/cxl-domain': 'a' });
      assert.deepEqual(tolerations[0], { key: 'csi.famfs.io/agent-not-ready', operator: 'Exists' });
    }
  });

  it('makes classes that wait for their first consumer, with parameters as text', () => {
    const objects = render({ files: ['two-pools.yaml'] });
    const fast = find(objects, 'StorageClass', 'famfs-fast');
    const large = find(objects, 'StorageClass', 'famfs-large');
    assert.equal(fast.metadata.annotations!['storageclass.kubernetes.io/is-default-class'], 'true');
    assert.deepEqual([fast.volumeBindingMode, fast.reclaimPolicy, large.reclaimPolicy], ['WaitForFirstConsumer', 'Delete', 'Retain']);
    assert.deepEqual(large.parameters, { pool: 'large', uid: '1000', gid: '1000', mode: '0660' });
    assert.deepEqual(large.mountOptions, ['noexec']);
  });

  it('writes large numbers of owners in full', () => {
    const values = { storageClasses: [{ name: 'famfs', parameters: { uid: 4294967294, gid: 100000000 } }] };
    assert.deepEqual(find(render({ values }), 'StorageClass').parameters, { uid: '4294967294', gid: '100000000' });
  });

  it('makes nothing twice for two releases side by side', () => {
    const cluster = (objects: Manifest[]) => objects.filter(({ kind }) => ['CSIDriver', 'StorageClass'].includes(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const both = [...cluster(render()), ...cluster(render({ files: ['second-domain.yaml'] }))];
    assert.equal(new Set(both).size, both.length);
    const second = find(render({ files: ['second-domain.yaml'] }), 'DaemonSet', '-fused');
    assert.ok(hostPaths(second, 'fused').includes('/run/famfs-csi/b.csi.famfs.io Bidirectional'));
  });

  it('makes policies and monitors only when asked, and a disruption budget unless told not to', () => {
    const optional = (objects: Manifest[]) => objects.map(({ kind }) => kind).filter((kind) => ['NetworkPolicy', 'PodMonitor', 'PodDisruptionBudget'].includes(kind));
    assert.deepEqual(optional(render()), ['PodDisruptionBudget']);
    assert.deepEqual(optional(render({ values: { 'controller.podDisruptionBudget.enabled': false } })), []);
    const monitored = render({ files: ['monitored.yaml'] });
    assert.equal(optional(monitored).length, 6);
    assert.equal(find(monitored, 'NetworkPolicy', '-node').spec.egress, undefined, 'the node plugin speaks to nobody');
    assert.deepEqual(find(monitored, 'NetworkPolicy', '-controller').spec.egress[0].ports, [{ protocol: 'TCP', port: 6443 }]);
  });

  it('makes a quota for the priority classes that it uses, only when asked', () => {
    const quotas = (values: Record<string, unknown>) => render({ values }).filter(({ kind }) => kind === 'ResourceQuota');
    assert.deepEqual(quotas({}), []);
    const [quota, ...more] = quotas({ 'priorityClassQuota.enabled': true, 'priorityClassQuota.pods': '100' });
    assert.deepEqual(more, []);
    assert.deepEqual(quota!.spec, {
      hard: { pods: '100' },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-cluster-critical', 'system-node-critical'] }] },
    });
    const none = { 'controller.priorityClassName': '', 'node.priorityClassName': '', 'fused.priorityClassName': '' };
    assert.deepEqual(quotas({ 'priorityClassQuota.enabled': true, ...none }), []);
  });

  it('gives the controller and its sidecars one SELinux type, when asked', () => {
    const context = (values: Record<string, unknown>) => podOf(find(render({ values }), 'Deployment')).spec.securityContext;
    assert.deepEqual(context({}), { runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } });
    assert.deepEqual(context({ 'controller.seLinuxType': 'spc_t' }).seLinuxOptions, { type: 'spc_t' });
  });

  it('takes an image by its digest', () => {
    const digest = `1.2.3@sha256:${'0a'.repeat(32)}`;
    const controller = find(render({ values: { 'image.tag': digest, 'sidecars.provisioner.image.tag': digest } }), 'Deployment');
    assert.equal(containerOf(controller, 'controller').image, `famfs-csi:${digest}`);
    assert.equal(containerOf(controller, 'provisioner').image, `registry.k8s.io/sig-storage/csi-provisioner:${digest}`);
  });

  it('lets the uninstallation ask the node plugins what is staged, whoever else may read metrics', () => {
    const peer = (component: string) => ({ podSelector: { matchLabels: {
      'app.kubernetes.io/name': 'famfs-csi', 'app.kubernetes.io/instance': 'famfs', 'app.kubernetes.io/component': component,
    } } });
    const prometheus = { namespaceSelector: { matchLabels: { name: 'monitoring' } } };
    const policies = render({ values: { 'networkPolicy.enabled': true, 'networkPolicy.metricsFrom': [prometheus], 'node.httpPort': 9999 } });
    assert.deepEqual(find(policies, 'NetworkPolicy', '-node').spec.ingress[0]._from, [prometheus, peer('uninstall')]);
    assert.deepEqual(find(policies, 'NetworkPolicy', '-fused').spec.ingress[0]._from, [prometheus]);
    const { egress } = find(policies, 'NetworkPolicy', '-uninstall').spec;
    assert.deepEqual(egress[1], { ports: [{ protocol: 'TCP', port: 9999 }], to: [peer('node')] });
    assert.equal(find(render({ values: { 'networkPolicy.enabled': true } }), 'NetworkPolicy', '-node').spec.ingress[0]._from, undefined, 'everybody may');
  });

  it('asks before it is uninstalled, cleans up afterwards, and shows what either had to say', () => {
    const hooks = render().filter(isHook);
    for (const [name, event, argument] of [['check', 'pre-delete', '--check'], ['clean', 'post-delete', '--clean']] as const) {
      const job = find(hooks, 'Job', name);
      assert.equal(job.metadata.annotations!['helm.sh/hook'], event);
      assert.equal(job.metadata.annotations!['helm.sh/hook-output-log-policy'], 'hook-failed');
      assert.equal(job.spec.backoffLimit, 0);
      assert.ok(containerOf(job, 'uninstall').args.includes(argument));
      // What a Job needs must be there before it, and nothing of it may outlive the release.
      const needed = hooks.filter(({ kind, metadata }) => kind !== 'Job' && metadata.name.endsWith(name));
      assert.equal(needed.length, name === 'check' ? 5 : 7, 'and a role for the namespace of the members');
      for (const { metadata } of needed) {
        assert.equal(metadata.annotations!['helm.sh/hook'], event);
        assert.ok(Number(metadata.annotations!['helm.sh/hook-weight']) < 0);
        assert.match(metadata.annotations!['helm.sh/hook-delete-policy'], /hook-succeeded/);
      }
    }
  });

  it('renders every documented example with the image and pull secrets that were asked for', () => {
    for (const name of exampleValues) {
      const values = { 'image.tag': 'v9', 'image.repository': 'registry.example.com:5000/storage/famfs-csi', imagePullSecrets: [{ name: 'pull' }] };
      const objects = render({ files: [name], values });
      for (const object of objects.filter(({ spec }) => spec?.template?.spec)) {
        const { containers, imagePullSecrets } = podOf(object).spec;
        assert.deepEqual(imagePullSecrets, [{ name: 'pull' }]);
        assert.equal(containers[0].image, 'registry.example.com:5000/storage/famfs-csi:v9');
      }
    }
  });

  it('passes extra arguments behind its own', () => {
    const objects = render({ values: { 'fused.extraArgs': ['--verbose'], 'sidecars.provisioner.extraArgs': ['--v=5'] } });
    assert.equal(containerOf(find(objects, 'DaemonSet', '-fused'), 'fused').args.at(-1), '--verbose');
    assert.equal(containerOf(find(objects, 'Deployment'), 'provisioner').args.at(-1), '--v=5');
  });
});

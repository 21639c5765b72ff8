/** Who may write the records of hosts that have a pool mounted, as the chart says it. */
import assert from 'node:assert/strict';
import { containerOf, find, type Manifest, podOf, render, rights, type Wish } from './support.ts';

describe('chart, for the members of pools', () => {
  const policies = ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy'];
  const ofKind = (objects: readonly Manifest[], kind: string) => objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
  const leaseRights = (objects: readonly Manifest[], namespace: string | undefined, ending: string) => objects
    .filter(({ kind, metadata }) => kind === 'Role' && metadata.namespace === namespace && metadata.name.endsWith(ending))
    .flatMap(rights).filter((right) => right.includes('/leases ')).map((right) => right.split(' ')[1]);

  it('makes a namespace that stays, and lets the data plane write there and nowhere else', () => {
    const objects = render();
    const namespace = find(objects, 'Namespace');
    assert.equal(namespace.metadata.name, 'famfs-system-members');
    assert.equal(namespace.metadata.annotations!['helm.sh/resource-policy'], 'keep');
    assert.deepEqual(leaseRights(objects, undefined, '-data-plane'), ['get', 'list']);
    assert.deepEqual(leaseRights(objects, 'famfs-system-members', '-data-plane'), ['get', 'list', 'create', 'update', 'delete']);
    assert.deepEqual(leaseRights(objects, 'famfs-system-members', '-controller'), ['get', 'list', 'delete']);
    assert.deepEqual(leaseRights(objects, 'famfs-system-members', '-clean'), ['list', 'delete']);
    assert.equal(podOf(find(objects, 'DaemonSet', '-fused')).spec.serviceAccountName, 'famfs-famfs-csi-data-plane');
  });

  it('tells every program that reads or writes them where they are', () => {
    const objects = render({ values: { 'members.namespace': 'hosts' } });
    assert.equal(find(objects, 'Namespace').metadata.name, 'hosts');
    const told = (object: Manifest, name: string) => (containerOf(object, name).env as { name: string; value?: string }[]).find((each) => each.name === 'FAMFS_CSI_MEMBERS_NAMESPACE')?.value;
    assert.equal(told(find(objects, 'Deployment'), 'controller'), 'hosts');
    assert.equal(told(find(objects, 'DaemonSet', '-fused'), 'fused'), 'hosts');
    assert.equal(told(find(objects, 'Job', 'clean'), 'uninstall'), 'hosts');
  });

  it('leaves the namespace to the operator who says so', () => {
    const objects = render({ values: { 'members.createNamespace': false } });
    assert.deepEqual(ofKind(objects, 'Namespace'), []);
    assert.equal(leaseRights(objects, 'famfs-system-members', '-data-plane').length, 5);
  });

  it('brings the policy where the API server knows it, or as it was told', () => {
    const made = (wish: Wish) => ofKind(render(wish), 'ValidatingAdmissionPolicy');
    const name = 'famfs-famfs-csi.famfs-system.members';
    assert.deepEqual(made({ apis: policies }), [name]);
    assert.deepEqual(made({}), []);
    assert.deepEqual(made({ values: { 'members.policy': true } }), [name]);
    assert.deepEqual(made({ apis: policies, values: { 'members.policy': false } }), []);
    const objects = render({ apis: policies });
    assert.deepEqual(find(objects, 'ValidatingAdmissionPolicyBinding').spec, { policyName: name, validationActions: ['Deny'] });
    const { matchConstraints, matchConditions, failurePolicy } = find(objects, 'ValidatingAdmissionPolicy').spec;
    assert.equal(failurePolicy, 'Fail');
    assert.deepEqual(matchConstraints.namespaceSelector.matchLabels, { 'kubernetes.io/metadata.name': 'famfs-system-members' });
    assert.match(matchConditions[0].expression, /'system:serviceaccount:famfs-system:famfs-famfs-csi-data-plane'/);
  });

  it('has an account for earlier data planes only when told, in an installation', () => {
    const accounts = (wish: Wish) => ofKind(render(wish), 'ServiceAccount').filter((name) => !name.includes('uninstall')).sort();
    assert.deepEqual(accounts({}), ['controller', 'data-plane', 'node'].map((name) => `famfs-famfs-csi-${name}`));
    const objects = render({ apis: policies, values: { 'members.earlierDataPlanes': true } });
    assert.ok(ofKind(objects, 'ServiceAccount').includes('famfs-famfs-csi-fused'));
    assert.deepEqual(leaseRights(objects, undefined, '-fused'), ['get', 'list', 'create', 'update', 'delete']);
    assert.equal(ofKind(objects, 'ValidatingAdmissionPolicy').length, 2);
  });

  it('is what it would be by default where the values of an earlier chart are used again', () => {
    assert.deepEqual(render({ values: { members: null } }), render());
  });
});

/** Values that cannot work are refused before anything reaches the cluster, and the refusal names the key. */
import assert from 'node:assert/strict';
import { template, type Wish } from './support.ts';

const pool = { name: 'p0', device: '/dev/dax0.0' };
const uuid = '6f1ed002-ab5d-4fbc-9b5a-0b0cf1e7e1ac';
const pools = (...changes: readonly object[]) => ({ pools: changes.map((change, index) => ({ name: `p${index}`, device: `/dev/dax${index}.0`, ...change })) });
const classes = (...list: readonly object[]) => ({ storageClasses: list.map((one) => ({ name: 'famfs', ...one })) });
const parameters = (given: object) => classes({ parameters: given });

const refused: readonly [string, Wish['values'], RegExp][] = [
  ['an unknown key', { pool: 'p0' }, /additional properties 'pool'/],
  ['an unknown key of a role', { 'node.replicas': 2 }, /'\/node'.*'replicas'/s],
  ['no pool', { pools: [] }, /'\/pools'.*minItems/s],
  ['a pool without a device', { pools: [{ name: 'p0' }] }, /'\/pools\/0'.*'device'/s],
  ['an unknown key of a pool', pools({ size: '1Gi' }), /'\/pools\/0'.*'size'/s],
  ['a pool name that no class could use', pools({ name: 'P_0' }), /'\/pools\/0\/name'/],
  ['a block device', pools({ device: '/dev/nvme0n1' }), /'\/pools\/0\/device'/],
  ['a relative device', pools({ device: 'dax0.0' }), /'\/pools\/0\/device'/],
  ['a simulated file among the host\'s own', pools({ device: '/etc/pool' }), /'\/pools\/0\/device'/],
  ['a simulated file in the root directory', pools({ device: '/pool' }), /'\/pools\/0\/device'/],
  ['a device reached through ..', pools({ device: '/mnt/../etc/pool' }), /'\/pools\/0\/device'/],
  ['formatting without looking', pools({ format: 'always' }), /'\/pools\/0\/format'.*ifEmpty/s],
  ['a log that is no power of two', pools({ logSize: '24Mi' }), /'\/pools\/0\/logSize'/],
  ['a log below the smallest', pools({ logSize: '4Mi' }), /'\/pools\/0\/logSize'/],
  ['two pools of one name', { pools: [pool, { ...pool, device: '/dev/dax1.0' }], ...classes({ parameters: { pool: 'p0' } }) }, /pools\[1\]\.name: "p0"/],
  ['two pools on one device', { pools: [pool, { ...pool, name: 'p1' }], ...classes({ parameters: { pool: 'p0' } }) }, /pools\[1\]\.device: "\/dev\/dax0\.0"/],
  ['a UUID that is none', pools({ uuid: 'p0' }), /'\/pools\/0\/uuid'/],
  ['one file system for two pools', { pools: [{ ...pool, uuid }, { name: 'p1', device: '/dev/dax1.0', uuid }], ...classes({ parameters: { pool: 'p0' } }) }, /pools\[1\]\.uuid: "6f1ed002/],
  ['to format a pool that has a UUID', pools({ uuid, format: 'ifEmpty' }), /pools\[0\]\.format: .*formatted already/],
  ['a driver name with capitals, which no label key may have', { driverName: 'CSI.famfs.io' }, /'\/driverName'/],
  ['a driver name that is too long', { driverName: `${'a'.repeat(61)}.io` }, /'\/driverName'.*maxLength/s],
  ['a kubelet directory that makes sockets too long', { kubeletDir: `/${'k'.repeat(80)}` }, /kubeletDir and driverName.*107/],
  ['a relative kubelet directory', { kubeletDir: 'kubelet' }, /'\/kubeletDir'/],
  ['a parameter that the driver does not know', parameters({ size: '1' }), /'\/storageClasses\/0\/parameters'.*'size'/s],
  ['a mode that YAML has read as a number', parameters({ mode: 432 }), /'\/storageClasses\/0\/parameters\/mode'/],
  ['a mode that is not octal', parameters({ mode: '0680' }), /'\/storageClasses\/0\/parameters\/mode'/],
  ['an owner by name', parameters({ uid: 'root' }), /'\/storageClasses\/0\/parameters\/uid'/],
  ['a class of a pool that there is not', parameters({ pool: 'p7' }), /storageClasses\[0\]\.parameters\.pool: "p7".*p0/],
  ['a class that does not say which of several pools', { ...pools({}, {}), ...classes({}) }, /storageClasses\[0\]\.parameters\.pool: required.*p0, p1/],
  ['two classes of one name', classes({}, {}), /storageClasses\[1\]\.name: "famfs"/],
  ['two default classes', classes({ default: true }, { name: 'other', default: true }), /storageClasses\[1\]\.default: "famfs"/],
  ['an unknown reclaim policy', classes({ reclaimPolicy: 'Recycle' }), /'\/storageClasses\/0\/reclaimPolicy'/],
  ['a mount option that cannot be honoured', classes({ mountOptions: ['sync'] }), /'\/storageClasses\/0\/mountOptions\/0'/],
  ['no replica of the controller', { 'controller.replicas': 0 }, /'\/controller\/replicas'/],
  ['two pods of the node plugin on one node', { 'node.updateStrategy.rollingUpdate': { maxSurge: 1 } }, /'\/node\/updateStrategy\/rollingUpdate\/maxSurge'/],
  ['an update strategy that a Deployment has not', { 'controller.updateStrategy': { type: 'OnDelete' } }, /'\/controller\/updateStrategy\/type'/],
  ['arguments that the chart sets', { 'controller.extraArgs': ['--kubernetes=other'] }, /'\/controller\/extraArgs\/0'/],
  ['electing sidecars', { 'sidecars.provisioner.extraArgs': ['--leader-election=true'] }, /'\/sidecars\/provisioner\/extraArgs\/0'/],
  ['a privileged port', { 'fused.httpPort': 80 }, /'\/fused\/httpPort'/],
  ['members in the namespace of the release', { 'members.namespace': 'famfs-system' }, /members\.namespace: "famfs-system" is the namespace of the release/],
  ['a namespace that is none', { 'members.namespace': 'Hosts' }, /'\/members\/namespace'/],
  ['a policy that is neither wanted nor not', { 'members.policy': 'maybe' }, /'\/members\/policy'/],
  ['an unknown log level', { logLevel: 'trace' }, /'\/logLevel'/],
  ['half a digest', { 'image.tag': '1.0@sha256:0a0a' }, /'\/image\/tag'/],
  ['a quota of no pods', { 'priorityClassQuota.pods': '0' }, /'\/priorityClassQuota\/pods'/],
  ['a tag with the repository', { 'image.tag': 'famfs-csi:1' }, /'\/image\/tag'/],
  ['a node of another architecture', { 'nodeSelector': { 'kubernetes.io/arch': 'arm64' } }, /'\/nodeSelector\/kubernetes\.io~1arch'/],
  ['labels that select the pods', { 'node.podLabels': { 'app.kubernetes.io/component': 'x' } }, /'\/node\/podLabels\/app\.kubernetes\.io~1component'/],
  ['a quantity that is none', { 'node.resources.limits': { memory: '1 GB' } }, /'\/node\/resources\/limits\/memory'/],
  ['an unknown key of resources', { 'controller.resources': { limit: {} } }, /'\/controller\/resources'.*'limit'/s],
];

describe('chart values', () => {
  for (const [what, values, reason] of refused) {
    it(`refuse ${what}`, () => {
      const { code, output } = template({ values: values! });
      assert.notEqual(code, 0, 'was rendered');
      assert.match(output, reason);
    });
  }

  it('allow several pools where every class names its own', () => {
    const { code, output } = template({ values: { ...pools({}, {}), ...parameters({ pool: '6f1ed002-ab5d-4fbc-9b5a-0b0cf1e7e1ac' }) } });
    assert.equal(code, 0, output);
  });
});

import assert from 'node:assert/strict';
import { wantedBy } from '../../../src/kube/pending-claims.ts';

describe('the volume that a claim asks for', () => {
  const storageClass = { provisioner: 'x', parameters: { pool: 'p0', 'csi.storage.k8s.io/fstype': 'famfs', 'csi.storage.k8s.io/other': '1' }, mountOptions: ['ro'] };
  const claim = (spec: object) => ({ metadata: { uid: '1-2-3' }, spec: { accessModes: ['ReadWriteOnce'], ...spec } });

  it('is what the provisioner would ask for', () => {
    const wanted = wantedBy(claim({ accessModes: ['ReadWriteOnce', 'ReadOnlyMany', 'Unheard'], resources: { requests: { storage: '1Gi' } } }), storageClass);
    assert.deepEqual(wanted, {
      name: 'pvc-1-2-3', bytes: 2 ** 30, modes: ['SINGLE_NODE_MULTI_WRITER', 'MULTI_NODE_READER_ONLY'], block: false, fsType: 'famfs',
      mountFlags: ['ro'], parameters: { pool: 'p0' },
    });
  });

  it('is a device where the claim says so, and a copy where it names a source of the driver', () => {
    assert.equal(wantedBy(claim({ volumeMode: 'Block' }), storageClass).block, true);
    const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
    assert.equal(wantedBy(claim({ dataSource: snapshot }), storageClass).source, 'VolumeSnapshot s');
    assert.equal(wantedBy(claim({ dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'c' } }), storageClass).source, 'PersistentVolumeClaim c');
    assert.equal(wantedBy(claim({ dataSourceRef: { apiGroup: 'populator.example.org', kind: 'Any', name: 'c' } }), storageClass).source, undefined);
  });
});

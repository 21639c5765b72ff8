import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { silentLog } from '../../src/csi/log.ts';
import { openKubernetesState } from '../../src/kube/cluster.ts';
import { until } from '../support/until.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { grant } from './rights.ts';

const driver = 'csi.example.org';

describe('a notice about a volume', () => {
  let server: ApiServer;
  let namespace: string;

  before(async () => {
    server = await apiServer();
    namespace = await server.namespace();
    await grant(server, 'fused', namespace);
  });

  it('is an event of each PersistentVolume that names its directory, and of no other', async () => {
    const { core } = server.api();
    const directory = `${randomUUID()}/v`;
    const made = [
      ['right', driver, directory], ['shared', driver, `${directory}//team-b`],
      ['wrong', 'other.example.org', directory], ['below', driver, `${directory}/below`], ['foreign', driver, `${directory}-2//team-b`],
    ] as const;
    for (const [name, of, handle] of made) {
      await core.createPersistentVolume({ body: {
        metadata: { name: `${name}-${namespace}` },
        spec: { capacity: { storage: '2Mi' }, accessModes: ['ReadWriteOnce'], csi: { driver: of, volumeHandle: handle } },
      } });
    }
    const { notices } = openKubernetesState({ namespace, driver, log: silentLog(), api: server.api('fused') });
    notices.volume({ volume: `${directory}//team-c`, severity: 'warning', reason: 'VolumeMemoryFailed', message: 'it fails' });
    notices.volume({ volume: 'pool/unknown', severity: 'warning', reason: 'VolumeMemoryFailed', message: 'nobody hears' });
    await until(async () => {
      const told = (await core.listNamespacedEvent({ namespace: 'default' })).items
        .filter(({ reason }) => reason === 'VolumeMemoryFailed')
        .map(({ involvedObject, type, message }) => [involvedObject.kind, involvedObject.name, type, message]);
      assert.deepEqual(told.sort(), ['right', 'shared'].map((name) => ['PersistentVolume', `${name}-${namespace}`, 'Warning', 'it fails']));
    });
    for (const [name] of made) await core.deletePersistentVolume({ name: `${name}-${namespace}` });
  });
});

/** A controller of a pool in which there is much: nobody waits long for it, and its answers are such that clients take them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { entriesOf, recordOf } from '../../src/controller/layout/volume-layout.ts';
import { parseParameters } from '../../src/controller/layout/parameters.ts';
import { Controller } from '../../src/controller/controller.ts';
import { silentLog } from '../../src/csi/log.ts';
import { csi } from '../../src/csi/server/protocols.ts';
import { SocketServer } from '../../src/csi/server/server.ts';
import { mkfs } from '../../src/famfs/mkfs/mkfs.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { MIB } from '../../src/famfs/units.ts';
import { type NewEntry, PoolWriter } from '../../src/famfs/writer/writer.ts';
import type { ListVolumesRequest } from '../../src/generated/csi/v1/ListVolumesRequest.ts';
import type { ListVolumesResponse__Output } from '../../src/generated/csi/v1/ListVolumesResponse.ts';
import { clusterUuid, openDirectoryState } from '../../src/state/directory.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';
import { type ControllerClient, deleteVolume } from '../support/csi-requests.ts';
import { plain, unary } from '../support/grpc-client.ts';

const UNIT = 2 * MIB;
/** Files of one volume. */
const FILES = 8000;
/** Volumes besides, which take no memory. */
const VOLUMES = 10_000;
/** What a page of a listing has at most, and the token behind it. */
const PAGE_BYTES = 2 ** 20 + 100;

describe('a controller of a pool with much in it', () => {
  const directory = tempDir('large');
  const device = shmFile('pool');
  const stateDir = join(directory, 'state');
  const hostDirectory = join(directory, 'host');
  let controller: Controller;
  let server: SocketServer;
  let client: ControllerClient;
  let uuid: string;

  before(async () => {
    const cluster = await clusterUuid(stateDir);
    ({ uuid } = await mkfs(device, { clusterUuid: cluster, simulate: 64 * MIB + (FILES + 16) * UNIT, logSize: 32 * MIB }));
    await fill(cluster);
    controller = await Controller.start({
      state: openDirectoryState(stateDir, silentLog()), hostDirectory, pools: [{ name: 'fast', device, format: 'never' }],
      scrubRate: Infinity, hostId: 'large', driver: 'csi.example.org', log: silentLog(), signal: new AbortController().signal,
    });
    server = await SocketServer.listen(join(directory, 'csi.sock'), (grpc) => controller.addTo(grpc));
    client = new csi.Controller(`unix://${join(directory, 'csi.sock')}`, plain);
  });

  after(async () => {
    client.close();
    await server.drain();
    await controller.stop();
    remove(device);
  });

  /** Makes a volume with many files, and many volumes. */
  async function fill(cluster: string): Promise<void> {
    const pool = Pool.open(sourceOf(device));
    const writer = await PoolWriter.acquire(pool, { identity: { clusterUuid: cluster, hostId: 'large', hostDirectory } });
    const parameters = parseParameters({});
    const owner = { mode: 0o644, uid: 0, gid: 0 };
    writer.create(entriesOf('large', UNIT, recordOf('large', UNIT, parameters), parameters));
    const files = Array.from({ length: FILES - 1 }, (_, k): NewEntry => ({ kind: 'file', path: `large/file-${k}`, size: 1, ...owner }));
    const volumes = Array.from({ length: VOLUMES }, (_, k) => entriesOf(`pvc-${k}`, UNIT, recordOf(`pvc-${k}`, UNIT, parameters), parameters)[0]);
    for (const entries of [files, volumes]) {
      for (let k = 0; k < entries.length; k += 4) writer.create(entries.slice(k, k + 4));
    }
    writer.close();
    pool.close();
  }

  const list = (request: ListVolumesRequest = {}) => unary(client, client.listVolumes.bind(client), request) as Promise<ListVolumesResponse__Output>;
  const bytesOf = (answer: ListVolumesResponse__Output) => csi.Controller.service.ListVolumes.responseSerialize(answer as never).length;

  it('lists its volumes in pages of 1 MiB, also where nobody asked for pages', async () => {
    const found: string[] = [];
    let pages = 0;
    for (let token: string | undefined; token !== ''; pages++) {
      const page = await list(token === undefined ? {} : { starting_token: token });
      assert.ok(bytesOf(page) <= PAGE_BYTES, `${bytesOf(page)} bytes`);
      found.push(...page.entries.map(({ volume }) => volume!.volume_id));
      token = page.next_token;
    }
    assert.equal(pages, 2);
    assert.deepEqual(found, [`${uuid}/large`, ...Array.from({ length: VOLUMES }, (_, k) => `${uuid}/pvc-${k}`)]);
    const few = await list({ max_entries: 3 });
    assert.deepEqual(few.entries.map(({ volume }) => volume!.volume_id), found.slice(0, 3));
    assert.equal((await list({ max_entries: VOLUMES })).entries.length, (await list()).entries.length, 'as many as fit');
  });

  it(`deletes a volume of ${FILES} files, and answers others meanwhile`, async () => {
    let isDone = false;
    const deletion = deleteVolume(client, `${uuid}/large`).finally(() => { isDone = true; });
    let answers = 0;
    for (; !isDone; answers++) await unary(client, client.controllerGetCapabilities.bind(client), {});
    await deletion;
    assert.ok(answers > 20, `${answers} answers`);
    const pool = Pool.open(sourceOf(device), { writable: false });
    assert.equal(pool.stat('large'), undefined);
    pool.close();
  });
});

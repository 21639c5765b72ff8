/** What a controller answers to input that cannot be served: a clear refusal, and nothing is lost. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { Controller } from '../../src/controller/controller.ts';
import { silentLog } from '../../src/csi/log.ts';
import { csi } from '../../src/csi/server/protocols.ts';
import { SocketServer } from '../../src/csi/server/server.ts';
import { SUPERBLOCK_LENGTH } from '../../src/famfs/device/mapped-device.ts';
import { entryOffset } from '../../src/famfs/format/log-header.ts';
import { EntryType } from '../../src/famfs/format/state-word.ts';
import { encodeVolumeRecord } from '../../src/famfs/format/volume-record.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { MIB } from '../../src/famfs/units.ts';
import { PoolWriter } from '../../src/famfs/writer/writer.ts';
import type { CreateVolumeRequest } from '../../src/generated/csi/v1/CreateVolumeRequest.ts';
import { clusterUuid, openDirectoryState } from '../../src/state/directory.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import {
  attach, type ControllerClient, createVolume, deleteVolume, mountOf, refused, RWO, RWX,
} from '../support/csi-requests.ts';
import { fileOver, forge, forgeClone } from '../support/forged.ts';
import { plain, unary } from '../support/grpc-client.ts';
import { until } from '../support/until.ts';

/** What stands in records for a capacity, and is none. */
const noCapacities = ['abc', '1e400', '-5'];

describe('CSI with bad input', () => {
  const directory = tempDir('bad-input');
  const places = { stateDir: join(directory, 'state'), hostDirectory: join(directory, 'host') };
  let controller: Controller;
  let server: SocketServer;
  let client: ControllerClient;
  let readOnly: string;
  let good: string;
  let small: string;
  let forged: string;
  let scribbled: string;
  let kept: string;

  before(async () => {
    readOnly = makeReadOnlyPool(places.stateDir);
    good = makePool(places.stateDir, '256MiB');
    small = makePool(places.stateDir, '32MiB');
    forged = makeForgedVolumes(places.stateDir);
    scribbled = makePool(places.stateDir, '256MiB');
    const devices = {
      good, small, forged, full: await makeFullLog(places),
      missing: join(directory, 'nowhere'), garbage: makeGarbage(), foreign: makePool(join(directory, 'other-state'), '32MiB'), readonly: readOnly, scribbled,
    };
    controller = await Controller.start({
      state: openDirectoryState(places.stateDir, silentLog()), hostDirectory: places.hostDirectory,
      pools: Object.entries(devices).map(([name, device]) => ({ name, device, format: 'never' })),
      scrubRate: Infinity, hostId: 'bad-input', driver: 'csi.example.org', log: silentLog(), signal: new AbortController().signal,
    });
    server = await SocketServer.listen(join(directory, 'csi.sock'), (grpc) => controller.addTo(grpc));
    client = new csi.Controller(`unix://${join(directory, 'csi.sock')}`, plain);
    kept = (await createVolume(client, 'kept', { parameters: { pool: 'good' } })).volume_id;
  });

  after(async () => {
    client.close();
    await server.drain();
    await controller.stop();
    execFileSync('umount', ['-l', dirname(readOnly)]);
  });

  /** Whatever was refused: the volume made first is there, and nothing else came to be. */
  afterEach(async () => assert.deepEqual(await listed(good), [kept]));

  const entriesOf = async (device: string) => {
    const { entries } = await unary(client, client.listVolumes.bind(client), {}) as { entries: { volume: { volume_id: string; capacity_bytes: string } }[] };
    const pool = Pool.open(sourceOf(device), { writable: false });
    pool.close();
    return entries.map(({ volume }) => volume).filter(({ volume_id: id }) => id.startsWith(pool.uuid));
  };
  const listed = async (device: string) => (await entriesOf(device)).map(({ volume_id: id }) => id);

  const create = (request: CreateVolumeRequest) =>
    createVolume(client, 'bad', { ...request, parameters: { pool: 'good', ...request.parameters } });
  const size = (required: number | string, limit: number | string = 0): CreateVolumeRequest =>
    ({ capacity_range: { required_bytes: required, limit_bytes: limit } });
  const parameters = (given: Record<string, string>): CreateVolumeRequest => ({ parameters: given });
  const capability = (given: object): CreateVolumeRequest => ({ volume_capabilities: [given] });

  for (const [what, request, code, named] of [
    ['no name', { name: '' }, status.INVALID_ARGUMENT, /name is required/],
    ['a name of 129 bytes', { name: 'x'.repeat(129) }, status.INVALID_ARGUMENT, /129 bytes/],
    ['a name with a newline', { name: 'a\nb' }, status.INVALID_ARGUMENT, /a\\nb/],
    ['no capability', { volume_capabilities: [] }, status.INVALID_ARGUMENT, /volume_capabilities/],
    ['a block volume', capability({ access_mode: { mode: RWO }, block: {} }), status.INVALID_ARGUMENT, /block/],
    ['another file system', capability(mountOf(RWX, { fs_type: 'xfs' })), status.INVALID_ARGUMENT, /xfs/],
    ['an empty volume for readers', capability(mountOf('MULTI_NODE_READER_ONLY')), status.INVALID_ARGUMENT, /READER_ONLY.*empty/],
    ['zero bytes', size(0), status.INVALID_ARGUMENT, /0 bytes/],
    ['less than zero bytes', size(-1), status.INVALID_ARGUMENT, /-1/],
    ['more than the limit', size(10, 5), status.INVALID_ARGUMENT, /10.*5/],
    ['an odd size whose rounding passes the limit', size(3 * MIB + 1, 3 * MIB + 2), status.OUT_OF_RANGE, /3145730/],
    ['more than the pool', size(2 ** 40), status.OUT_OF_RANGE, /1099511627776/],
    ['the largest size there is', size('9223372036854775807'), status.OUT_OF_RANGE, /9223372036854775807/],
    ['an unknown parameter', parameters({ colour: 'red' }), status.INVALID_ARGUMENT, /colour/],
    ['an unknown pool', parameters({ pool: 'lost' }), status.INVALID_ARGUMENT, /lost/],
    ['a user that is no number', parameters({ uid: 'root' }), status.INVALID_ARGUMENT, /root/],
    ['a mode that is none', parameters({ mode: 'rwx' }), status.INVALID_ARGUMENT, /rwx/],
    ['a source', { volume_content_source: { volume: { volume_id: 'x' } } }, status.INVALID_ARGUMENT, /source/],
    ['a mutable parameter', { mutable_parameters: { speed: '1' } }, status.INVALID_ARGUMENT, /speed/],
    ['a topology without the pool', { accessibility_requirements: { requisite: [{ segments: { 'csi.example.org/pool-x': 'true' } }] } },
      status.RESOURCE_EXHAUSTED, /good/],
    ['a missing device', parameters({ pool: 'missing' }), status.UNAVAILABLE, /missing.*nowhere/],
    ['a device without famfs', parameters({ pool: 'garbage' }), status.UNAVAILABLE, /garbage/],
    ['a pool of another cluster', parameters({ pool: 'foreign' }), status.UNAVAILABLE, /foreign/],
    ['a read-only device', parameters({ pool: 'readonly' }), status.UNAVAILABLE, /readonly/],
    ['a full log', parameters({ pool: 'full' }), status.RESOURCE_EXHAUSTED, /log|slot/],
  ] as readonly (readonly [string, CreateVolumeRequest, status, RegExp])[]) {
    it(`refuses ${what}: ${status[code]}`, () => refused(create(request), code, named));
  }

  it('refuses what a full pool has no room for, and serves on', async () => {
    const made: string[] = [];
    const fill = async () => {
      for (let number = 0; number < 64; number++) {
        made.push((await createVolume(client, `fill-${number}`, { ...size(2 * MIB), parameters: { pool: 'small' } })).volume_id);
      }
    };
    await refused(fill(), status.RESOURCE_EXHAUSTED, /^needs 2Mi, largest free is 0 in pool small$/);
    assert.ok(made.length > 0);
    const { available_capacity: free } = await unary(client, client.getCapacity.bind(client), { parameters: { pool: 'small' } }) as
      { available_capacity: string };
    assert.equal(free, '0');
    assert.equal((await listed(small)).length, made.length);
    for (const id of made) await deleteVolume(client, id);
    assert.deepEqual(await listed(small), []);
  });

  it('has no capacity where no slot is left', async () => {
    const { available_capacity: free, maximum_volume_size: largest } =
      await unary(client, client.getCapacity.bind(client), { parameters: { pool: 'full' } }) as
      { available_capacity: string; maximum_volume_size: { value: string } };
    assert.deepEqual([free, largest.value], ['0', '0']);
  });

  it('makes volumes of hostile names, each in a directory of its own', async () => {
    const names = ['../../etc/passwd', '..', '.meta', 'a/b', '-rf', 'ü ñ', '$(reboot)', 'constructor', '__proto__'];
    const ids: string[] = [];
    for (const name of names) {
      const { volume_id: id } = await createVolume(client, name, parameters({ pool: 'good' }));
      assert.match(id, /^[0-9a-f-]{36}\/[a-z0-9-][a-z0-9.-]{0,47}$/);
      ids.push(id);
    }
    assert.equal(new Set(ids).size, names.length);
    for (const id of ids) await deleteVolume(client, id);
  });

  it('takes hostile handles for volumes that are not there', async () => {
    const uuid = kept.split('/')[0]!;
    for (const id of [`${uuid}/`, `${uuid}/..`, `${uuid}/kept/..`, `${uuid}//kept`, '/etc', `${uuid}/${'x'.repeat(500)}`, `${uuid}/a\nb`, 'x']) {
      await deleteVolume(client, id);
      await refused(attach(client, id, 'a'), status.NOT_FOUND, /no volume/);
    }
    await refused(deleteVolume(client, ''), status.INVALID_ARGUMENT, /volume_id/);
    await refused(deleteVolume(client, `${kept}/data`), status.FAILED_PRECONDITION, /not made by this driver/);
  });

  it('lists volumes whose records tell no capacity as of one that is not known, makes none of their names, and deletes them', async () => {
    const volumes = await entriesOf(forged);
    assert.deepEqual(volumes.map(({ volume_id: id, capacity_bytes: bytes }) => [id.split('/')[1], bytes]),
      [['sound', '5'], ...noCapacities.map((_, k) => [`forged-${k}`, '0'])]);
    await refused(createVolume(client, 'forged-0', { parameters: { pool: 'forged' } }), status.ALREADY_EXISTS, /does not tell its capacity/);
    for (const { volume_id: id } of volumes) await deleteVolume(client, id);
    assert.deepEqual(await listed(forged), []);
  });

  it('deletes no volume whose memory other files have, names them, and keeps all of it', async () => {
    const { volume_id: id } = await createVolume(client, 'cloned', { ...size(2 * MIB), parameters: { pool: 'small' } });
    const pool = Pool.open(sourceOf(small));
    try {
      forgeClone(pool, 'cloned/data', 'clone');
      await refused(deleteVolume(client, id), status.FAILED_PRECONDITION, /"clone", log entry \d+\).*rm --force/);
      assert.equal(pool.stat('cloned/data')?.size, 2 * MIB);
    } finally {
      pool.close();
    }
  });

  for (const [what, text] of [
    ['200 KB', 'x'.repeat(200_000)], ['200 KB of characters of several bytes', 'ä'.repeat(100_000)],
    ['200 KB in many words', 'word '.repeat(40_000)], ['half a character', '\ud800'],
  ] as const) {
    it(`refuses ids, names and parameters of ${what}, and no other call of the connection fails by it`, async () => {
      const beside = Promise.all(Array.from({ length: 5 }, () => listed(good)));
      await Promise.all([
        refused(attach(client, text, 'a'), status.NOT_FOUND, /there is no volume/),
        refused(attach(client, kept, text), status.NOT_FOUND, /^node /),
        refused(create({ parameters: { [text]: 'red' } }), status.INVALID_ARGUMENT, /^unknown parameter/),
        refused(create({ parameters: { pool: text } }), status.INVALID_ARGUMENT, /there is no pool/),
        refused(deleteVolume(client, `${kept}/${text}`).then(() => deleteVolume(client, '')), status.INVALID_ARGUMENT, /volume_id/),
      ]);
      assert.deepEqual(await beside, Array.from({ length: 5 }, () => [kept]));
    });
  }

  it('takes no new volumes in a pool while an entry of its log is written over, and says which entry', async () => {
    const parameters = { pool: 'scribbled' };
    await createVolume(client, 'before', { parameters });
    const log = SUPERBLOCK_LENGTH + entryOffset(0) + 100;
    const file = openSync(scribbled, 'r+');
    try {
      const bytes = Buffer.alloc(8);
      readSync(file, bytes, 0, 8, log);
      writeSync(file, 'scribble', log);
      // It looks after its pools once a second; until then there are new volumes.
      const everyMs = 500;
      await until((attempt) => refused(createVolume(client, `during-${attempt}`, { parameters }), status.UNAVAILABLE, /log entry 0: .*fsck/), { everyMs });
      await deleteVolume(client, (await createVolume(client, 'meanwhile', { parameters: { pool: 'good' } })).volume_id);
      writeSync(file, bytes, 0, 8, log);
      await until(() => createVolume(client, 'after', { parameters }));
    } finally {
      closeSync(file);
    }
  });

  it('cannot say "unknown" while a pool could not be read', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000/volume';
    await refused(deleteVolume(client, unknown), status.UNAVAILABLE, /missing|garbage/);
  });
});

/** A pool of the cluster that this state directory is. */
function makePool(stateDir: string, size: string): string {
  const device = shmFile('pool');
  execFileSync(program, ['mkfs', device, '--simulate', size, '--state-dir', stateDir], { stdio: 'pipe' });
  return device;
}

/** A pool to which somebody else has appended volumes: a sound one, and some whose capacity is no number. */
function makeForgedVolumes(stateDir: string): string {
  const device = makePool(stateDir, '32MiB');
  const pool = Pool.open(sourceOf(device));
  const forgeVolume = (name: string, capacity: string) => {
    const spare = encodeVolumeRecord({ name, kind: 'volume', parameters: { pool: 'forged' }, createdAt: 1, capacity: 5 });
    const at = 8 + spare.readUInt16LE(6) - 1; // its one digit, behind tag and length
    spare.writeUInt16LE(spare.readUInt16LE(6) - 1 + capacity.length, 6);
    spare.writeUInt16LE(capacity.length, at - 2);
    spare.write(capacity, at);
    pool.refresh();
    const index = pool.replayer.end;
    forge(pool, index, EntryType.Directory, { kind: 'directory', path: name, mode: 0o755, uid: 0, gid: 0, spare });
    forge(pool, index + 1, EntryType.File, fileOver(`${name}/data`, [{ offset: (10 + index) * MIB, length: 2 * MIB }]));
  };
  forgeVolume('sound', '5');
  for (const [k, capacity] of noCapacities.entries()) forgeVolume(`forged-${k}`, capacity);
  pool.close();
  return device;
}

function makeGarbage(): string {
  const device = shmFile('garbage');
  writeFileSync(device, Buffer.alloc(32 * MIB, 0xa5));
  return device;
}

/** A pool whose log a driver of the same cluster has filled up. */
async function makeFullLog({ stateDir, hostDirectory }: { stateDir: string; hostDirectory: string }): Promise<string> {
  const device = makePool(stateDir, '64MiB');
  const pool = Pool.open(sourceOf(device), { writable: true });
  const identity = { clusterUuid: await clusterUuid(stateDir), hostId: 'bad-input', hostDirectory };
  const writer = await PoolWriter.acquire(pool, { identity });
  const directory = (number: number) => ({ kind: 'directory', path: `d${number}`, mode: 0o755, uid: 0, gid: 0 }) as const;
  for (let left = pool.usage().slotsFree - 1; left > 0; left -= 4) {
    writer.create([0, 1, 2, 3].slice(0, left).map((step) => directory(left - step)));
  }
  writer.close();
  pool.close();
  return device;
}

/** A file that not even root can write to: below a read-only mount. */
function makeReadOnlyPool(stateDir: string): string {
  const device = makePool(stateDir, '32MiB');
  const folder = dirname(device);
  execFileSync('mount', ['--bind', folder, folder]);
  execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
  return device;
}

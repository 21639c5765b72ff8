/** Device names are hints: two pools whose devices have each other's names after a boot. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { Controller } from '../../src/controller/controller.ts';
import { silentLog } from '../../src/csi/log.ts';
import type { PoolConfig } from '../../src/csi/pool-config.ts';
import { csi } from '../../src/csi/server/protocols.ts';
import { SocketServer } from '../../src/csi/server/server.ts';
import { famfsMountAt, unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { findSessions } from '../../src/famfs/fuse/session/session.ts';
import { mkfs } from '../../src/famfs/mkfs/mkfs.ts';
import { uuidOn } from '../../src/famfs/pool/pool-source.ts';
import { MIB } from '../../src/famfs/units.ts';
import { clusterUuid, openDirectoryState } from '../../src/state/directory.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';
import { type ControllerClient, createVolume, deleteVolume, refused } from '../support/csi-requests.ts';
import { plain } from '../support/grpc-client.ts';
import { Plane } from '../support/plane.ts';
import { PoolFixture } from '../support/pool-fixture.ts';
import { directory as directoryEntry, METADATA, newHost, openWriter } from '../support/pools.ts';
import { until } from '../support/until.ts';

const SIZE = METADATA + 64 * MIB;

/** What a boot may do: two devices get each other's names. */
function swap(one: string, other: string): void {
  fs.renameSync(one, `${one}-away`);
  if (fs.existsSync(other)) fs.renameSync(other, one);
  fs.renameSync(`${one}-away`, other);
}

/** A device that is all zero. */
function emptyDevice(device: string): void {
  fs.closeSync(fs.openSync(device, 'w'));
  fs.truncateSync(device, SIZE);
}

function isEmpty(device: string): boolean {
  return fs.readFileSync(device).every((byte) => byte === 0);
}

describe('a controller whose devices have other names since the last start', () => {
  let directory: string;
  let d0: string;
  let d1: string;
  let running: { controller: Controller; server: SocketServer; client: ControllerClient } | undefined;

  beforeEach(() => {
    directory = tempDir('swapped');
    [d0, d1] = [shmFile('d0'), shmFile('d1')];
  });
  afterEach(() => stop());

  const stateDir = () => join(directory, 'state');
  const format = async (device: string) => (await mkfs(device, { clusterUuid: await clusterUuid(stateDir()), simulate: SIZE })).uuid;

  async function start(pools: Partial<PoolConfig>[]): Promise<ControllerClient> {
    const controller = await Controller.start({
      state: openDirectoryState(stateDir(), silentLog()), hostDirectory: join(directory, 'host'),
      pools: pools.map((pool) => ({ name: '', device: '', format: 'never', ...pool })),
      scrubRate: Infinity, hostId: 'swapped', driver: 'csi.example.org', log: silentLog(), signal: new AbortController().signal,
    });
    const server = await SocketServer.listen(join(directory, 'csi.sock'), (grpc) => controller.addTo(grpc));
    const client = new csi.Controller(`unix://${join(directory, 'csi.sock')}`, plain);
    running = { controller, server, client };
    return client;
  }

  async function stop(): Promise<void> {
    const ending = running;
    running = undefined;
    ending?.client.close();
    await ending?.server.drain();
    await ending?.controller.stop();
  }

  /** The pool that a volume is made in, and the volume; as the provisioner does, calls again while the pool is sought or formatted. */
  const create = (client: ControllerClient, name: string, pool: string) => until(async () => {
    const { volume_id: volume } = await createVolume(client, name, { parameters: { pool } });
    return { uuid: volume.split('/')[0], volume };
  }, { everyMs: 100 });
  const unavailable = (client: ControllerClient, pool: string, why: RegExp) => until(() =>
    refused(createVolume(client, `no-${pool}`, { parameters: { pool } }), status.UNAVAILABLE, why), { everyMs: 100 });

  for (const policy of ['never', 'ifEmpty'] as const) {
    it(`uses each pool under its name, by its UUID (format: ${policy})`, async () => {
      const pools = [{ name: 'p0', device: d0, format: policy }, { name: 'p1', device: d1, format: policy }];
      for (const device of [d0, d1]) {
        if (policy === 'never') await format(device);
        else emptyDevice(device);
      }
      const client = await start(pools);
      const [a, b] = [await create(client, 'a', 'p0'), await create(client, 'b', 'p1')];
      await stop();
      swap(d0, d1);
      const again = await start(pools);
      assert.equal((await create(again, 'a', 'p0')).volume, a.volume, 'the same request finds it');
      assert.equal((await create(again, 'c', 'p0')).uuid, a.uuid);
      assert.equal((await create(again, 'd', 'p1')).uuid, b.uuid);
      await deleteVolume(again, b.volume);
      assert.deepEqual([uuidOn(d0), uuidOn(d1)], [b.uuid, a.uuid], 'nothing was formatted');
    });
  }

  it('uses the one that is there, and says of the other what is missing, when one device is away', async () => {
    const pools = [{ name: 'p0', device: d0, format: 'ifEmpty' }, { name: 'p1', device: d1, format: 'ifEmpty' }] as const;
    const [a, b] = [await format(d0), await format(d1)];
    await start([...pools]);
    await stop();
    const away = `${d0}-not-here`;
    fs.renameSync(d0, away);
    fs.renameSync(d1, d0);
    let client = await start([...pools]);
    assert.equal((await create(client, 'b', 'p1')).uuid, b);
    await unavailable(client, 'p0', /pool p0 .*d1: no such device/);
    await stop();

    emptyDevice(d1); // a new one is in its place, empty
    client = await start([...pools]);
    await unavailable(client, 'p0', new RegExp(`it is the famfs ${a}, which is on none of the configured devices .*d0 holds the famfs ${b}; .*Nothing is formatted`));
    assert.ok(isEmpty(d1));
    await stop();

    fs.renameSync(away, d1);
    client = await start([...pools]);
    assert.equal((await create(client, 'a', 'p0')).uuid, a);
  });

  it('formats an empty device for a new pool, and not for the pool that was moved from its name', async () => {
    const a = await format(d0);
    await start([{ name: 'p0', device: d0, format: 'ifEmpty' }]);
    await stop();
    swap(d0, d1);
    emptyDevice(d0);
    const pools = [{ name: 'p0', device: d0, format: 'ifEmpty' }, { name: 'p1', device: d1, format: 'ifEmpty' }] as const;
    const client = await start([...pools]);
    const made = await create(client, 'b', 'p1');
    assert.notEqual(made.uuid, a);
    assert.equal((await create(client, 'a', 'p0')).uuid, a);
    assert.deepEqual([uuidOn(d0), uuidOn(d1)], [made.uuid, a]);
  });

  it('formats nothing under a name that had a pool, and takes what somebody has formatted by hand', async () => {
    const pools = [{ name: 'p0', device: d0, format: 'ifEmpty' }] as const;
    emptyDevice(d0);
    const a = await create(await start([...pools]), 'a', 'p0');
    await stop();
    fs.rmSync(d0);
    emptyDevice(d0); // power was lost, or it is another device
    await unavailable(await start([...pools]), 'p0', new RegExp(`it is the famfs ${a.uuid}, which is on none .*or, if what it held is lost, format .*d0 by hand`));
    assert.ok(isEmpty(d0));
    await stop();
    const c = await format(d0);
    assert.equal((await create(await start([...pools]), 'c', 'p0')).uuid, c);
    await stop();
    assert.equal((await create(await start([...pools]), 'd', 'p0')).uuid, c, 'it is remembered');
  });

  it('takes no other pool that was used, unless its UUID is configured', async () => {
    const a = await format(d0);
    await start([{ name: 'p0', device: d0 }]);
    await stop();
    fs.rmSync(d0);
    const c = await format(d0);
    const { writer, stop: close } = await openWriter(d0, newHost(await clusterUuid(stateDir())));
    writer.create([directoryEntry('of-others')]);
    close();
    await unavailable(await start([{ name: 'p0', device: d0 }]), 'p0', new RegExp(`it is the famfs ${a}, .*holds the famfs ${c}\\. If that is to be pool p0`));
    await stop();
    assert.equal((await create(await start([{ name: 'p0', device: d0, uuid: c }]), 'c', 'p0')).uuid, c);
  });

  it('goes by UUIDs that are configured from the first start on', async () => {
    const [a, b] = [await format(d0), await format(d1)];
    swap(d0, d1);
    const client = await start([{ name: 'p0', device: d0, uuid: a }, { name: 'p1', device: d1, uuid: b }]);
    assert.equal((await create(client, 'a', 'p0')).uuid, a);
    assert.equal((await create(client, 'b', 'p1')).uuid, b);
  });
});

describe('a data plane whose devices have other names since the last start', () => {
  let a: PoolFixture;
  let b: PoolFixture;
  let hostDirectory: string;
  let plane: Plane;
  const pools = () => [{ name: 'p0', device: a.path, uuid: a.uuid }, { name: 'p1', device: b.path, uuid: b.uuid }];
  const listed = async () => (await plane.pools()).map(({ name, uuid, device }) => ({ name, uuid, device }));

  beforeEach(async () => {
    [a, b] = await Promise.all([PoolFixture.make(64 * MIB), PoolFixture.make(64 * MIB)]);
    a.volume('a', 4 * MIB);
    b.volume('b', 4 * MIB);
    hostDirectory = tempDir('host');
    plane = await Plane.start(hostDirectory, pools());
  });

  afterEach(async () => {
    await plane.stop(); // once more, maybe
    for (const { directory } of findSessions(hostDirectory)) await unmountFuse(directory, { lazy: true }).catch(() => {});
    for (const pool of [a, b]) pool.close();
    remove(hostDirectory);
  });

  it('mounts each pool by its UUID, and calls it by its name where UUIDs are configured', async () => {
    await plane.stop();
    swap(a.path, b.path);
    plane = await Plane.start(hostDirectory, pools());
    assert.deepEqual(await listed(), [{ name: 'p0', uuid: a.uuid, device: b.path }, { name: 'p1', uuid: b.uuid, device: a.path }]);
    assert.deepEqual(fs.readdirSync(await plane.ensure(a.uuid)), ['a']);
    assert.deepEqual(fs.readdirSync(await plane.ensure(b.uuid)), ['b']);
    await plane.stop();
    plane = await Plane.start(hostDirectory, pools().map(({ name, device }) => ({ name, device })));
    assert.deepEqual((await listed()).map(({ name, uuid }) => [name, uuid]), [['p0', b.uuid], ['p1', a.uuid]], 'else by the configured device');
    assert.deepEqual(fs.readdirSync(await plane.ensure(a.uuid)), ['a']);
  });

  it('goes on with a session that is in use, and does not take its pool for formatted anew when it ends', async () => {
    const path = await plane.ensure(a.uuid);
    const fd = fs.openSync(join(path, 'a/data'), 'r');
    await plane.stop();
    swap(a.path, b.path);
    plane = await Plane.start(hostDirectory, pools());
    assert.equal(await plane.ensure(a.uuid), path);
    assert.equal((await plane.statistics(a.uuid, 'a')).total_bytes, String(4 * MIB));
    assert.equal(fs.readSync(fd, Buffer.alloc(8), 0, 8, 0), 8);
    fs.closeSync(fd);
    await unmountFuse(path, { lazy: true, force: true });
    await until(() => assert.ok(plane.events.includes(`leave ${a.uuid}`)));
    assert.deepEqual(plane.notices, []);
    assert.deepEqual(fs.readdirSync(await plane.ensure(a.uuid)), ['a']);
    await plane.end(a.uuid);
    assert.equal(famfsMountAt(path), undefined);
  });

  it('serves the one that is there when the other is away, or an empty device is in its place', async () => {
    await plane.stop();
    const away = `${a.path}-not-here`;
    fs.renameSync(a.path, away);
    fs.renameSync(b.path, a.path);
    try {
      for (const isThere of [false, true]) {
        if (isThere) emptyDevice(b.path);
        plane = await Plane.start(hostDirectory, pools());
        assert.deepEqual(fs.readdirSync(await plane.ensure(b.uuid)), ['b']);
        await assert.rejects(plane.ensure(a.uuid), { code: status.FAILED_PRECONDITION });
        const problems = (await plane.pools()).map(({ name, problem }) => [name, problem]);
        assert.match(problems[0][1], isThere ? /no famfs superblock/ : /no such device/);
        assert.deepEqual(problems[1], ['p1', '']);
        await plane.end(b.uuid);
        await plane.stop();
      }
      assert.ok(isEmpty(b.path));
    } finally {
      fs.renameSync(away, b.path);
    }
  });
});

/** Sessions that outlive the processes that serve them, since the node plugin holds them too. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { famfsMountAt, unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { takeFromFdStore } from '../../src/famfs/fuse/session/fd-store-client.ts';
import { FdStore, fdStoreSocket } from '../../src/famfs/fuse/session/fd-store.ts';
import { startTimeOf } from '../../src/famfs/fuse/session/processes.ts';
import { servedRecords, writeRecord } from '../../src/famfs/fuse/session/session-record.ts';
import { findSessions, mountPool } from '../../src/famfs/fuse/session/session.ts';
import { MIB } from '../../src/famfs/units.ts';
import { ClientProcess } from '../faults/client-process.ts';
import { root } from '../harness/paths.ts';
import { remove, tempDir } from '../harness/temp.ts';
import { Container, shareMounts } from '../support/container.ts';
import { Plane, PlaneClient } from '../support/plane.ts';
import { PoolFixture } from '../support/pool-fixture.ts';
import { until } from '../support/until.ts';

const [ENOTCONN, ECONNABORTED, ESTALE] = [-107, -103, -116];

describe('a session that is held', () => {
  let pool: PoolFixture;
  let hostDirectory: string;
  let unshare: () => void;
  let fdStore: FdStore;
  let end: () => Promise<void>;
  let application: ClientProcess | undefined;

  beforeEach(async () => {
    pool = await PoolFixture.make(64 * MIB);
    pool.volume('vol', 4 * MIB);
    pool.pool.write(pool.node('vol/data'), 0, Buffer.alloc(4 * MIB, 7));
    hostDirectory = tempDir('host');
    unshare = shareMounts(hostDirectory);
    fdStore = newStore();
    end = async () => undefined;
  });

  afterEach(async () => {
    await application?.end();
    application = undefined;
    await end();
    fdStore.close();
    const left = join(hostDirectory, 'mounts', pool.uuid);
    if (famfsMountAt(left) !== undefined) await unmountFuse(left, { lazy: true }); // of a failed test
    unshare();
    pool.close();
    remove(hostDirectory);
  });

  const newStore = (gracePeriodMs?: number) => new FdStore({ hostDirectory, onEvent: () => undefined, ...(gracePeriodMs === undefined ? {} : { gracePeriodMs }) });
  const isHeld = () => until(() => assert.equal(fdStore.sessions.length, 1));

  /** Mounts the pool, and has an application open a file of it. Never this process, which may have to start who answers. */
  async function opened(plane: PlaneClient): Promise<{ application: ClientProcess; path: string }> {
    const path = await plane.ensure(pool.uuid);
    await isHeld();
    application = await ClientProcess.open({ prefix: [] }, join(path, 'vol/data'));
    return { application, path };
  }

  /** The byte that it reads, or why it cannot. */
  const read = async (from: ClientProcess) => {
    const { bytes, error } = await from.ask({ do: 'read', length: 1 });
    return error ?? bytes!.charCodeAt(0);
  };

  async function startPlane(): Promise<Plane> {
    const plane = await Plane.start(hostDirectory, [{ name: 'fast', device: pool.path }]);
    end = () => plane.stop();
    return plane;
  }

  function startContainer(): Container {
    const container = Container.start('fused', '--pool', `fast=${pool.path}`, '--host-dir', hostDirectory, '--node-id', 'here',
      '--state-dir', join(hostDirectory, 'state'), '--fused-endpoint', `unix://${join(hostDirectory, 'fused.sock')}`);
    end = () => container.stop();
    return container;
  }

  it('goes on when its supervisor is killed', async () => {
    const { application: reader, path } = await opened(await startPlane());
    const [{ pid, record: { child } }] = findSessions(hostDirectory);
    process.kill(pid, 'SIGKILL');
    assert.equal(await read(reader), 7);
    await until(() => {
      const [{ record }] = findSessions(hostDirectory);
      assert.notEqual(record.pid, pid);
    });
    assert.equal(startTimeOf(child.pid), undefined, 'two must not serve at once');
    assert.equal(await read(reader), 7);
    assert.ok(famfsMountAt(path) !== undefined);
  });

  it('goes on when its supervisor and its serving child are killed, with a request under way', async () => {
    const { application: reader } = await opened(await startPlane());
    const [{ pid, record: { child } }] = findSessions(hostDirectory);
    process.kill(child.pid, 'SIGSTOP');
    const waiting = read(reader);
    for (const each of [pid, child.pid]) process.kill(each, 'SIGKILL');
    assert.equal(await waiting, 7);
  });

  it('goes on, however much a version before has written of the pool\'s problems into its record', async () => {
    const plane = await startPlane();
    const { application: reader } = await opened(plane);
    const [{ pid, id, record }] = findSessions(hostDirectory);
    const problems = Array.from({ length: 100_000 }, (_, k) => `log entry ${k} ("vol/data"): entry 1 has that path already`);
    const before = { ...record, problems };
    delete (before as { problemCount?: number }).problemCount;
    writeRecord(before);
    process.kill(pid, 'SIGKILL');
    assert.equal(await read(reader), 7);
    const now = await until(() => {
      const [session] = findSessions(hostDirectory);
      assert.notEqual(session.pid, pid);
      return session;
    });
    assert.equal(now.id, id);
    assert.equal(now.problemCount, 100_000);
    assert.equal(now.problems.length, 16);
    await until(async () => {
      const [{ problem }] = await plane.pools();
      assert.match(problem, /^log entry 0 .*; 99985 more$/);
      assert.ok(problem.length < 2000, problem);
    });
  });

  it('goes on with a supervisor that a data plane of a version before has started, with the record as an argument', async () => {
    const directory = join(hostDirectory, 'mnt');
    fs.mkdirSync(directory);
    const session = await mountPool({ device: pool.path, directory, hostDirectory, inFdStore: true });
    application = await ClientProcess.open({ prefix: [] }, join(directory, 'vol/data'));
    await isHeld();
    const { id, device, readOnly, patienceMs, holder } = session.record;
    process.kill(session.pid, 'SIGKILL');
    await session.closed;
    const args = [{ id, device, directory, hostDirectory, readOnly, patienceMs, holder }, session.record].map((arg) => JSON.stringify(arg));
    const module = join(root, 'src/famfs/fuse/session/supervisor.ts');
    const supervisor = spawn(process.execPath, [module, ...args], { stdio: ['ignore', 2, 2, 'ipc'] });
    const [message] = await once(supervisor, 'message') as [{ type: string }];
    assert.equal(message.type, 'serving');
    assert.equal(await read(application), 7);
    await application.end();
    await unmountFuse(directory);
    assert.deepEqual(await once(supervisor, 'exit'), [0, null]);
  });

  it('is still the host\'s while nobody serves it: what it has not let go of is not acknowledged', async () => {
    const plane = await startPlane();
    const { application: reader } = await opened(plane);
    const [{ pid, record: { child } }] = findSessions(hostDirectory);
    for (const each of [pid, child.pid]) process.kill(each, 'SIGKILL');
    pool.remove('vol/data');
    await until(() => assert.equal(plane.acknowledged, pool.change));
    assert.equal(await read(reader), ESTALE);
    assert.ok(!plane.events.includes(`leave ${pool.uuid}`));
  });

  for (const [how, replace] of [['killed', 'kill'], ['stopped', 'stop']] as const) {
    it(`goes on in another container when that of the data plane is ${how}`, async () => {
      const first = startContainer();
      await until(() => assert.ok(fs.existsSync(join(hostDirectory, 'fused.sock'))));
      const client = new PlaneClient(hostDirectory);
      const { application: reader, path } = await opened(client);
      client.disconnect();
      await first[replace]();
      const waiting = read(reader);
      assert.deepEqual(servedRecords(hostDirectory), []);
      assert.ok(famfsMountAt(path) !== undefined);
      const second = startContainer();
      assert.equal(await waiting, 7, second.log);
      assert.equal(await read(reader), 7);
    });
  }

  it('is let alone by a second container as long as the first serves it', async () => {
    const first = startContainer();
    await until(() => assert.ok(fs.existsSync(join(hostDirectory, 'fused.sock'))));
    const client = new PlaneClient(hostDirectory);
    const { application: reader } = await opened(client);
    client.disconnect();
    const [before] = servedRecords(hostDirectory);
    startContainer();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.deepEqual(servedRecords(hostDirectory), [before]);
    assert.equal(await read(reader), 7);
    await first.kill();
    assert.equal(await read(reader), 7);
    assert.notDeepEqual(servedRecords(hostDirectory), [before]);
  });

  it('is gone on with as soon as others end that have served it for longer than it can be waited for', async () => {
    const first = startContainer();
    after(() => first.kill());
    await until(() => assert.ok(fs.existsSync(join(hostDirectory, 'fused.sock'))));
    const client = new PlaneClient(hostDirectory);
    const { application: reader } = await opened(client);
    client.disconnect();
    const [record] = servedRecords(hostDirectory);
    writeRecord({ ...record, patienceMs: 8000 });
    first.pause();
    fs.rmSync(join(hostDirectory, 'fused.sock')); // it answers nobody any more
    first.killOne(record.pid); // its child serves on
    const plane = await startPlane();
    await until(() => assert.match(plane.lines.join(''), /is still served by others.*a mount stays as it is, for now/));
    assert.equal(await read(reader), 7);
    assert.deepEqual(findSessions(hostDirectory), []);
    await first.kill();
    assert.equal(await read(reader), 7);
    const [{ pid }] = findSessions(hostDirectory);
    assert.notEqual(startTimeOf(pid), undefined);
  });

  it('is given to each new fd store, and a store leaves at once while it is served', async () => {
    await opened(await startPlane());
    const first = fdStore;
    const began = performance.now();
    await first.leave(60_000);
    assert.ok(performance.now() - began < 30_000);
    fdStore = newStore();
    await isHeld();
  });

  it('keeps its fd store from leaving while only that has it', async () => {
    const plane = await startPlane();
    const { application: reader } = await opened(plane);
    await plane.stop();
    end = async () => undefined;
    const [{ pid, record: { child } }] = findSessions(hostDirectory);
    for (const each of [pid, child.pid]) process.kill(each, 'SIGKILL');
    let hasLeft = false;
    const leaving = fdStore.leave(60_000).then(() => { hasLeft = true; });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(!hasLeft);
    await startPlane();
    assert.equal(await read(reader), 7);
    await leaving;
    fdStore = newStore();
  });

  it('is given up when nobody comes for too long: its users get errors, and the next data plane a new mount', async () => {
    fdStore.close();
    fdStore = newStore(1500);
    const plane = await startPlane();
    const { application: reader, path } = await opened(plane);
    await plane.stop();
    const [{ pid, record: { child } }] = findSessions(hostDirectory);
    for (const each of [pid, child.pid]) process.kill(each, 'SIGKILL');
    await until(() => assert.deepEqual(servedRecords(hostDirectory), []));
    const answer = await read(reader);
    assert.ok([ENOTCONN, ECONNABORTED].includes(answer), String(answer));
    assert.deepEqual(fdStore.sessions, []);
    const next = await startPlane();
    assert.equal(await next.ensure(pool.uuid), path);
    assert.equal(fs.readFileSync(join(path, 'vol/data'))[0], 7);
  });

  it('is forgotten by its fd store when it is unmounted', async () => {
    const plane = await startPlane();
    await opened(plane);
    await application!.end();
    await plane.end(pool.uuid);
    await until(() => assert.deepEqual(fdStore.sessions, []));
    await assert.rejects(takeFromFdStore(fdStoreSocket(hostDirectory), 'x'), { code: 'NOT_FOUND' });
  });
});

/** The host's data plane behind its control socket. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { famfsMountAt, unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { hostTimeouts, timeoutInForce, timeoutToAskFor } from '../../src/famfs/fuse/protocol/request-timeout.ts';
import { startTimeOf } from '../../src/famfs/fuse/session/processes.ts';
import { supervisedRecords } from '../../src/famfs/fuse/session/session-record.ts';
import { findSessions } from '../../src/famfs/fuse/session/session.ts';
import { MIB } from '../../src/famfs/units.ts';
import { Stages } from '../../src/state/stages.ts';
import { LogFlood } from '../faults/log-flood.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';
import { type Configured, Plane } from '../support/plane.ts';
import { freshImage } from '../support/fresh-image.ts';
import { outcome } from '../support/host.ts';
import { PoolFixture } from '../support/pool-fixture.ts';
import { until } from '../support/until.ts';

describe('the data plane of a host', () => {
  let pool: PoolFixture;
  let plane: Plane;
  let hostDirectory: string;
  const configured = () => [{ name: 'fast', device: pool.path }];

  beforeEach(async () => {
    pool = await PoolFixture.make(64 * MIB);
    pool.volume('vol', 4 * MIB);
    hostDirectory = tempDir('host');
    plane = await Plane.start(hostDirectory, configured());
  });

  afterEach(async () => {
    await plane.stop();
    for (const { directory } of findSessions(hostDirectory)) {
      await unmountFuse(directory, { lazy: true }).catch(() => {}); // what a failed test left
    }
    pool.close();
    remove(hostDirectory);
  });

  it('lists pools, mounts them once, and unmounts them', async () => {
    const expected = { name: 'fast', uuid: pool.uuid, device: pool.path, size_bytes: String(64 * MIB), problem: '' };
    assert.deepEqual(await plane.pools(), [{ ...expected, session_path: '' }]);
    const [path, ...others] = await Promise.all([plane.ensure(pool.uuid), plane.ensure(pool.uuid), plane.ensure(pool.uuid)]);
    assert.equal(path, join(hostDirectory, 'mounts', pool.uuid));
    assert.deepEqual(others, [path, path]);
    assert.deepEqual(await plane.pools(), [{ ...expected, session_path: path }]);
    assert.equal(fs.statSync(join(path, 'vol/data')).size, 4 * MIB);
    assert.deepEqual(plane.events, [`register ${pool.uuid}`]);
    await plane.end(pool.uuid);
    await plane.end(pool.uuid);
    assert.equal(famfsMountAt(path), undefined);
    assert.deepEqual(plane.events.slice(1), [`leave ${pool.uuid}`]);
    assert.equal(await plane.ensure(pool.uuid), path);
  });

  it('acknowledges deletions that its workers know of', async () => {
    const path = await plane.ensure(pool.uuid);
    const fd = fs.openSync(join(path, 'vol/data'), 'r');
    pool.remove('vol/data');
    const { change } = pool;
    await until(() => assert.equal(plane.acknowledged, change));
    assert.throws(() => fs.readSync(fd, Buffer.alloc(8), 0, 8, 0), { errno: -116 }, 'ESTALE');
    fs.closeSync(fd);
  });

  it('leaves what an earlier life of its host has not left, configured or not, and no other host does', async () => {
    await plane.stop();
    const [mine, other] = [{ pool: 'gone', host: 'here', bootId: 'earlier' }, { pool: pool.uuid, host: 'there', bootId: 'x' }];
    plane = await Plane.start(hostDirectory, configured(), undefined, [mine, other]);
    await until(() => assert.deepEqual(plane.events, ['leave gone']));
  });

  it('stays a member while the child of a supervisor that has died serves on', async () => {
    const path = await plane.ensure(pool.uuid);
    const fd = fs.openSync(join(path, 'vol/data'), 'r');
    const [{ pid, child }] = supervisedRecords(hostDirectory);
    await plane.stop();
    process.kill(pid, 'SIGKILL');
    await until(() => assert.equal(startTimeOf(pid), undefined));
    plane = await Plane.start(hostDirectory, configured(), undefined, [{ pool: pool.uuid, host: 'here', bootId: 'this boot' }]);
    pool.remove('vol/data');
    await until(() => assert.equal(plane.acknowledged, pool.change));
    assert.deepEqual(plane.events, []);
    fs.closeSync(fd);
    process.kill(child.pid, 'SIGKILL');
    await until(() => assert.deepEqual(plane.events, [`leave ${pool.uuid}`]));
  });

  it('is no member of a pool that it could not mount', async () => {
    const path = join(hostDirectory, 'mounts', pool.uuid);
    pool.pool.replayer.geometry.log.zero(0, 32); // the header's magic and what follows it
    await assert.rejects(plane.ensure(pool.uuid), { code: status.FAILED_PRECONDITION });
    assert.equal(famfsMountAt(path), undefined);
    assert.deepEqual(plane.events.slice(-2), [`register ${pool.uuid}`, `leave ${pool.uuid}`]);
  });

  it('knows pools by their UUID alone', async () => {
    await assert.rejects(plane.ensure('00000000-0000-0000-0000-000000000000'), { code: status.NOT_FOUND });
    await assert.rejects(plane.statistics(pool.uuid, 'vol'), { code: status.NOT_FOUND }, 'not mounted');
  });

  it('presents a volume with a group, and refuses another one meanwhile', async () => {
    const path = await plane.ensure(pool.uuid);
    const modes = () => ['vol', 'vol/data'].map((name) => {
      const { mode, gid } = fs.statSync(join(path, name));
      return [mode & 0o7777, gid];
    });
    const plainModes = modes();
    const oneGroup = fs.readFileSync('/proc/self/gid_map', 'utf8').trim().split(/\s+/)[2] === '1';
    const gid = oneGroup ? 0 : 2000; // all that an ordinary user's own namespace has
    await plane.group(pool.uuid, 'vol', gid);
    assert.deepEqual(modes(), [[0o2775, gid], [0o664, gid]]);
    await plane.group(pool.uuid, 'vol', gid);
    await assert.rejects(plane.group(pool.uuid, 'vol', gid + 1), { code: status.FAILED_PRECONDITION });
    await plane.group(pool.uuid, 'vol');
    assert.deepEqual(modes(), plainModes);
    await assert.rejects(plane.group(pool.uuid, 'none', gid), { code: status.NOT_FOUND });
    for (const directory of ['', '/', '../x', 'vol/..', '/vol']) {
      await assert.rejects(plane.group(pool.uuid, directory, gid), { code: status.INVALID_ARGUMENT }, directory);
    }
  });

  it('knows a directory by its node id, and which ones there are not', async () => {
    const { path, directory_node: node } = await plane.locate(pool.uuid, 'vol');
    assert.deepEqual([node, fs.statSync(join(path, 'vol')).ino], [String(pool.node('vol')), pool.node('vol')]);
    for (const missing of ['none', 'vol/none', 'vol/data']) await assert.rejects(plane.locate(pool.uuid, missing), { code: status.NOT_FOUND }, missing);
    for (const directory of ['/', '../x', 'vol/..', '/vol']) {
      await assert.rejects(plane.locate(pool.uuid, directory), { code: status.INVALID_ARGUMENT }, directory);
    }
    pool.remove('vol/data');
    pool.remove('vol');
    await assert.rejects(plane.locate(pool.uuid, 'vol'), { code: status.NOT_FOUND });
  });

  it('answers of a pool whose session hangs what the log tells, and to all who wait for it, once, that it does not answer', async () => {
    const path = await plane.ensure(pool.uuid);
    const [{ record: { child } }] = findSessions(hostDirectory);
    process.kill(child.pid, 'SIGSTOP');
    try {
      assert.equal((await plane.statistics(pool.uuid, 'vol')).total_bytes, String(4 * MIB));
      const waiting = Array.from({ length: 8 }, () => plane.locate(pool.uuid, 'vol')); // one after the other would take longer than a call may
      await Promise.all(waiting.map((call) => assert.rejects(call, { code: status.UNAVAILABLE, message: /does not answer/ })));
    } finally {
      process.kill(child.pid, 'SIGCONT');
    }
    await until(async () => assert.equal(await plane.ensure(pool.uuid), path)); // not before the program that had waited is gone
  });

  it('measures a volume', async () => {
    await plane.ensure(pool.uuid);
    const { total_bytes: bytes, file_count: files } = await plane.statistics(pool.uuid, 'vol');
    assert.deepEqual([bytes, files], [String(4 * MIB), '1']);
    pool.remove('vol/data');
    assert.equal((await plane.statistics(pool.uuid, 'vol')).total_bytes, '0');
    pool.remove('vol');
    await until(() => assert.equal(fs.existsSync(join(hostDirectory, 'mounts', pool.uuid, 'vol')), false));
    await assert.rejects(plane.statistics(pool.uuid, 'vol'), { code: status.NOT_FOUND });
  });

  it('does not end a session in use, and leaves it running when it stops', async () => {
    const path = await plane.ensure(pool.uuid);
    const fd = fs.openSync(join(path, 'vol/data'), 'r');
    await assert.rejects(plane.end(pool.uuid), { code: status.FAILED_PRECONDITION });
    await plane.stop();
    assert.equal(fs.readSync(fd, Buffer.alloc(8), 0, 8, 0), 8);

    plane = await Plane.start(hostDirectory, configured());
    assert.equal((await plane.pools())[0].session_path, path, 'adopted');
    assert.equal(await plane.ensure(pool.uuid), path);
    assert.deepEqual(plane.events, [], 'it is a member since the first time');
    fs.closeSync(fd);
    await plane.end(pool.uuid);
    assert.deepEqual(plane.events, [`leave ${pool.uuid}`]);
  });

  it('unmounts what is not in use when it stops', async () => {
    const path = await plane.ensure(pool.uuid);
    await plane.stop();
    assert.equal(famfsMountAt(path), undefined);
  });

  it('keeps a pool mounted while a volume of it is staged where it cannot see it', async () => {
    const stages = new Stages(hostDirectory);
    const volume = `${pool.uuid}/vol`;
    await stages.put({ volume, path: '/elsewhere', access: { mode: 'MULTI_NODE_MULTI_WRITER', mountFlags: [] }, targets: [] });
    const path = await plane.ensure(pool.uuid);
    await assert.rejects(plane.end(pool.uuid), { code: status.FAILED_PRECONDITION, message: /vol is staged at \/elsewhere/ });
    await plane.stop();
    assert.ok(famfsMountAt(path));
    plane = await Plane.start(hostDirectory, configured());
    await stages.delete(volume);
    await plane.stop();
    assert.equal(famfsMountAt(path), undefined);
    assert.deepEqual(plane.events, [`leave ${pool.uuid}`]);
  });

  it('counts what the kernel asked and how far the replay is, of adopted sessions too', async () => {
    const path = await plane.ensure(pool.uuid);
    const fd = fs.openSync(join(path, 'vol/data'), 'r');
    for (let k = 0; k < 3; k++) fs.readSync(fd, Buffer.alloc(4096), 0, 4096, k * 4096);
    assert.throws(() => fs.mkdirSync(join(path, 'new')), { code: 'EPERM' });
    const told = async () => {
      const lines = (await plane.metrics.text()).split('\n');
      return (name: string) => Number(lines.find((line) => line.startsWith(name))?.split(' ')[1]);
    };
    const before = await told();
    assert.equal(before('famfs_fuse_operations_total{pool="fast",operation="READ"}'), 3);
    assert.equal(before('famfs_fuse_errors_total{pool="fast",operation="READ"}'), 0);
    assert.equal(before('famfs_fuse_errors_total{pool="fast",operation="MKDIR"}'), 1);
    assert.equal(before('famfs_session_mounted{pool="fast"}'), 1);
    const timeouts = hostTimeouts();
    assert.equal(before('famfs_session_request_timeout_seconds{pool="fast"}'), timeoutInForce(timeouts, timeoutToAskFor(timeouts)));
    assert.ok(before('famfs_control_call_seconds_count{method="EnsureSession",code="OK"}') >= 1);

    await plane.stop();
    plane = await Plane.start(hostDirectory, configured());
    pool.directories(['one', 'two', 'three']);
    await until(() => assert.ok(fs.existsSync(join(path, 'three'))));
    const after = await told();
    assert.equal(after('famfs_fuse_operations_total{pool="fast",operation="READ"}'), 3, 'adopted with its counters');
    assert.equal(after('famfs_replay_lag_entries{pool="fast"}'), 0);
    const [{ pid }] = findSessions(hostDirectory);
    const [child] = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number);
    process.kill(child!, 'SIGSTOP');
    try {
      pool.directories(['four', 'five']);
      assert.equal((await told())('famfs_replay_lag_entries{pool="fast"}'), 2, 'nobody replays');
    } finally {
      process.kill(child!, 'SIGCONT');
    }
    fs.closeSync(fd);
  });

  it('tells the first few of many things wrong with a pool, and how many there are, and all of its other pools', async () => {
    const second = await PoolFixture.make(64 * MIB);
    await plane.stop();
    const coHost = new LogFlood(pool.path, 'vol/data');
    const count = 9000;
    coHost.flood(count);
    coHost.close();
    plane = await Plane.start(hostDirectory, [...configured(), { name: 'second', device: second.path }]);
    try {
      const path = await plane.ensure(pool.uuid);
      assert.ok(fs.existsSync(join(path, 'vol/data')));
      const pools = await plane.pools();
      assert.deepEqual(pools.map(({ name }) => name), ['fast', 'second']);
      const [{ problem }] = pools;
      assert.match(problem, /^log entry 2 \("none\/2"\): its directory does not exist; .*; log: 8996 more entries are refused; log: more than 4096 entries are refused/);
      assert.ok(problem.length < 1000, problem);
      assert.match(await plane.metrics.text(), /famfs_session_problems\{pool="fast"\} 9000/);
      assert.ok(plane.lines.every((line) => line.length < 4000));
      const [{ record }] = findSessions(hostDirectory);
      assert.ok(JSON.stringify(record).length < 4000);
    } finally {
      await plane.stop();
      second.close();
    }
  });

  it('follows its pools file: pools come at once, and go when nobody uses them', async () => {
    await plane.stop();
    const second = await PoolFixture.make(64 * MIB);
    second.volume('vol', 4 * MIB);
    const file = join(hostDirectory, 'pools.json');
    const write = (...pools: Configured[]) => fs.writeFileSync(file, JSON.stringify({ pools }));
    const names = async () => (await plane.pools()).map(({ name }) => name);
    write(...configured());
    plane = await Plane.start(hostDirectory, configured(), file);
    try {
      const path = await plane.ensure(pool.uuid);
      const fd = fs.openSync(join(path, 'vol/data'), 'r');

      fs.writeFileSync(file, '{"pools": [{"name": "fast"}]}');
      await until(() => assert.match(plane.lines.join(''), /not taken.*pools\[0\]\.device undefined/));
      assert.deepEqual(await names(), ['fast'], 'what makes no sense is not taken');

      write({ name: 'second', device: second.path });
      await until(async () => assert.deepEqual(await names(), ['second']));
      assert.ok(fs.existsSync(join(await plane.ensure(second.uuid), 'vol/data')));
      assert.equal(await plane.ensure(pool.uuid), path, 'a volume staged there can still be published');
      assert.equal(fs.readSync(fd, Buffer.alloc(8), 0, 8, 0), 8);

      fs.closeSync(fd);
      await until(async () => assert.equal(famfsMountAt(path), undefined));
      await assert.rejects(plane.ensure(pool.uuid), { code: status.NOT_FOUND });

      write({ name: 'second', device: second.path }, ...configured());
      await until(async () => assert.deepEqual(await names(), ['second', 'fast']));
      assert.equal(await plane.ensure(pool.uuid), path);
    } finally {
      await plane.stop();
      second.close();
    }
  });

  it('keeps a mounted pool whose superblock somebody wrote over, and says so', async () => {
    const path = await plane.ensure(pool.uuid);
    const { bytes } = pool.pool.memory.superblock;
    const before = Buffer.from(bytes.subarray(0, 200));
    bytes.fill(0, 0, 48).fill(0, 64, 200); // all but the UUID, which says which pool it is
    try {
      const [{ uuid, session_path: mounted, problem }] = await plane.pools();
      assert.deepEqual([uuid, mounted], [pool.uuid, path]);
      assert.match(problem, /no famfs superblock: magic/);
      const { path: still, directory_node: node } = await plane.locate(pool.uuid, 'vol');
      assert.deepEqual([still, node], [path, '0']);
      await assert.rejects(plane.statistics(pool.uuid, 'vol'), { code: status.UNAVAILABLE, message: /superblock/ });
    } finally {
      bytes.set(before);
    }
  });

  it('ends a session whose pool is formatted anew, says so, and mounts what is there then', async () => {
    const path = await plane.ensure(pool.uuid);
    const fd = fs.openSync(join(path, 'vol/data'), 'r+');
    const image = await freshImage(pool, 'new', 4 * MIB);
    const written = outcome(() => fs.writeSync(fd, 'of the old volume', 0));
    assert.notEqual(written, 'OK');
    const over = () => ['ENOTCONN', 'ECONNABORTED'].includes(outcome(() => fs.readSync(fd, Buffer.alloc(1), 0, 1, 0)));
    await until(() => assert.ok(over()));
    outcome(() => fs.closeSync(fd)); // it sends a FLUSH
    await until(() => assert.equal(famfsMountAt(path), undefined));
    await until(() => assert.ok(plane.events.includes(`leave ${pool.uuid}`)));
    assert.ok(plane.lines.some((line) => line.includes('pool replaced under its mount') && line.includes(image.uuid)));
    assert.deepEqual(plane.notices.map(({ reason, pool: named }) => [reason, named]), [['PoolReplaced', pool.uuid]]);
    assert.match(await plane.metrics.text(), /famfs_sessions_replaced_total\{pool="fast"\} 1/);
    await assert.rejects(plane.ensure(pool.uuid), { code: status.NOT_FOUND, message: /no pool with UUID/ });
    const now = await plane.ensure(image.uuid);
    assert.ok(fs.readFileSync(join(now, 'new/data')).equals(Buffer.alloc(4 * MIB)), 'nothing of the old volume is in the new one');
    await plane.end(image.uuid);
  });

  it('ends a session whose pool was formatted anew while nobody served it', async () => {
    const path = await plane.ensure(pool.uuid);
    const [{ record: { pid, child } }] = findSessions(hostDirectory);
    process.kill(pid, 'SIGSTOP');
    process.kill(child.pid, 'SIGSTOP');
    const image = await freshImage(pool, 'new', 4 * MIB);
    process.kill(child.pid, 'SIGKILL');
    process.kill(pid, 'SIGCONT');
    await until(() => assert.equal(famfsMountAt(path), undefined));
    await until(() => assert.ok(plane.events.includes(`leave ${pool.uuid}`)));
    assert.ok(plane.lines.some((line) => line.includes('pool replaced under its mount') && line.includes(image.uuid)));
  });

  it('notices a session that failed, and makes a new one', async () => {
    const path = await plane.ensure(pool.uuid);
    const [{ record: { pid, child } }] = findSessions(hostDirectory);
    for (const each of [pid, child.pid]) process.kill(each, 'SIGKILL');
    await until(() => assert.equal(famfsMountAt(path), undefined));
    assert.equal(await plane.ensure(pool.uuid), path);
    assert.equal(fs.statSync(join(path, 'vol/data')).size, 4 * MIB);
  });

  it('clears a mount away whose supervisor died while nobody looked', async () => {
    const path = await plane.ensure(pool.uuid);
    const fd = fs.openSync(join(path, 'vol/data'), 'r');
    await plane.stop();
    const [{ pid }] = findSessions(hostDirectory);
    process.kill(pid, 'SIGKILL');
    await until(() => assert.equal(startTimeOf(pid), undefined));
    plane = await Plane.start(hostDirectory, configured());
    assert.equal(famfsMountAt(path), undefined);
    assert.equal(fs.readSync(fd, Buffer.alloc(8), 0, 8, 0), 8, 'its child serves who has it open');
    fs.closeSync(fd);
    assert.equal(await plane.ensure(pool.uuid), path);
  });

  it('says what is wrong with a pool', async () => {
    await plane.stop();
    const copy = shmFile('copy');
    fs.copyFileSync(pool.path, copy);
    const zeros = shmFile('zeros');
    fs.writeFileSync(zeros, '');
    fs.truncateSync(zeros, 64 * MIB);
    plane = await Plane.start(hostDirectory, [
      ...configured(), { name: 'copy', device: copy }, { name: 'zeros', device: zeros }, { name: 'gone', device: '/nowhere' },
    ]);
    const pools = await plane.pools();
    assert.match(pools[0].problem, /same UUID/);
    assert.match(pools[1].problem, /same UUID/);
    assert.match(pools[2].problem, /no famfs superblock: magic/);
    assert.match(pools[3].problem, /\/nowhere: no such device/);
    await assert.rejects(plane.ensure(pool.uuid), { code: status.FAILED_PRECONDITION, message: /same UUID/ });
    remove(copy);
  });
});

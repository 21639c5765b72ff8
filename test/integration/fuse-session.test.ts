/** How sessions begin and end. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FamfsError } from '../../src/famfs/errors.ts';
import { countersFile, readTotals } from '../../src/famfs/fuse/host-state/counters-file.ts';
import { Overrides } from '../../src/famfs/fuse/host-state/overrides.ts';
import { famfsMountAt } from '../../src/famfs/fuse/mount/mount.ts';
import { startTimeOf } from '../../src/famfs/fuse/session/processes.ts';
import { findSessions, type MountOptions, mountPool } from '../../src/famfs/fuse/session/session.ts';
import { MIB } from '../../src/famfs/units.ts';
import { program, root } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { Host, outcome } from '../support/host.ts';
import { PoolFixture } from '../support/pool-fixture.ts';
import { until } from '../support/until.ts';

/** The processes that have a pid as their parent. */
function childrenOf(pid: number): number[] {
  return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** The exit code of stat(1) on a path: asked in a process of its own, whatever has to be waited for. */
async function statApart(path: string): Promise<number> {
  const asking = spawn('stat', [path], { stdio: 'ignore' });
  const [code] = await once(asking, 'exit') as [number];
  return code;
}

/** A session whose processes run some code of the test's first, in each of their threads. */
async function mountWith(device: string, code: string, options: Partial<MountOptions> = {}): Promise<Host> {
  const preload = join(tempDir('preload'), 'preload.mjs');
  fs.writeFileSync(preload, code);
  process.env['NODE_OPTIONS'] = `--import ${preload}`;
  try {
    return await Host.mount(device, { output: fs.openSync('/dev/null', 'w'), ...options });
  } finally {
    delete process.env['NODE_OPTIONS'];
  }
}

describe('a session', () => {
  let pool: PoolFixture;
  let host: Host | undefined;

  before(async () => {
    pool = await PoolFixture.make(64 * MIB);
    pool.volume('vol', 2 * MIB);
  });
  afterEach(async () => {
    await host?.end();
    host = undefined;
  });
  after(() => pool?.close());

  it('is a supervisor and a serving child, and leaves nothing behind', async () => {
    host = await Host.mount(pool.path);
    const { pid } = host.session;
    const [child] = childrenOf(pid);
    assert.ok(startTimeOf(pid) !== undefined && child > 0);
    assert.deepEqual(findSessions(host.hostDirectory).map((session) => session.pid), [pid]);
    await host.unmount();
    assert.deepEqual(await host.session.closed, {});
    assert.equal(startTimeOf(pid), undefined);
    assert.equal(startTimeOf(child), undefined);
    assert.deepEqual(fs.readdirSync(join(host.hostDirectory, 'sessions')), []);
    assert.equal(famfsMountAt(host.directory), undefined);
  });

  it('reads ahead by 1 MiB where files are mapped', async () => {
    host = await Host.mount(pool.path);
    const bdi = `/sys/class/bdi/${famfsMountAt(host.directory)!.deviceNumber}/read_ahead_kb`;
    if (outcome(() => fs.accessSync(bdi, fs.constants.W_OK)) !== 'OK') return; // as for an ordinary user
    assert.equal(fs.readFileSync(bdi, 'utf8').trim(), '1024');
  });

  it('lets a request hold a read of 1 MiB into a buffer that does not begin with a page', async () => {
    host = await Host.mount(pool.path);
    const limit = '/proc/sys/fs/fuse/max_pages_limit';
    if (outcome(() => fs.accessSync(limit, fs.constants.W_OK)) !== 'OK') return; // an ordinary user, or before Linux 6.13
    assert.ok(Number(fs.readFileSync(limit, 'utf8')) >= 257);
  });

  it('is not unmounted while a file is open, and serves on', async () => {
    host = await Host.mount(pool.path);
    const fd = fs.openSync(host.path('vol/data'), 'r');
    await assert.rejects(host.unmount(), { code: 'IN_USE', message: /in use/ });
    assert.equal(fs.readSync(fd, Buffer.alloc(8), 0, 8, 0), 8);
    fs.closeSync(fd);
    await host.unmount();
  });

  it('goes on with another serving child when one dies, unseen by who has a file open', async () => {
    host = await Host.mount(pool.path);
    const { pid } = host.session;
    const fd = fs.openSync(host.path('vol/data'), 'r');
    const [child] = childrenOf(pid);
    process.kill(child, 'SIGKILL');
    assert.equal(fs.readSync(fd, Buffer.alloc(8), 0, 8, 0), 8);
    fs.closeSync(fd);
    await until(() => {
      const [{ record }] = findSessions(host!.hostDirectory);
      assert.deepEqual([record.pid, record.child.pid], [pid, ...childrenOf(pid)]);
      assert.notEqual(record.child.pid, child);
    });
    await until(() => assert.equal(readTotals(countersFile(host!.hostDirectory, host!.session.id))!.restarts, 1));
    await host.unmount();
    assert.deepEqual(await host.session.closed, {});
  });

  it('shows what was deleted and changed while nobody served', async () => {
    pool.volume('gone', 2 * MIB);
    host = await Host.mount(pool.path);
    const fds = ['gone/data', 'vol/data'].map((name) => fs.openSync(host!.path(name), 'r'));
    const modes = () => fds.map((fd) => outcome(() => fs.fstatSync(fd)));
    assert.deepEqual(modes(), ['OK', 'OK']);
    const [child] = childrenOf(host.session.pid);
    process.kill(child, 'SIGSTOP'); // it shall notice nothing any more
    pool.remove('gone/data');
    const overrides = Overrides.open(host.hostDirectory, pool.uuid, host.session.record.logLife!);
    overrides.setGroup(pool.pool.view.resolve('vol'), 4711);
    process.kill(child, 'SIGKILL');
    await until(() => assert.deepEqual(modes(), ['ESTALE', 'OK']));
    assert.equal(outcome(() => fs.statSync(host!.path('gone/data'))), 'ENOENT');
    await until(() => assert.equal(fs.fstatSync(fds[1]).gid, 4711));
    await until(() => assert.ok(overrides.isNotified(overrides.generation())));
    overrides.setGroup(pool.pool.view.resolve('vol'), undefined);
    overrides.close();
    for (const fd of fds) outcome(() => fs.closeSync(fd));
  });

  it('goes on when the main thread of its serving child fails', async () => {
    host = await mountWith(pool.path, `import { isMainThread } from 'node:worker_threads';
      if (isMainThread) process.on('SIGUSR2', () => { throw new Error('a mistake of ours'); });`);
    const [child] = childrenOf(host.session.pid);
    process.kill(child, 'SIGUSR2');
    assert.equal(await statApart(host.path('vol/data')), 0);
    await until(() => assert.ok(!childrenOf(host!.session.pid).includes(child)));
    assert.equal(await statApart(host.path('vol')), 0);
  });

  it('goes on when its serving child is killed while a notification waits for an answer', async () => {
    pool.volume('dirty', 2 * MIB);
    // While there is that file, workers take a WRITE and never answer: so the notification of the removal cannot end.
    const deaf = join(tempDir('deaf'), 'deaf');
    fs.writeFileSync(deaf, '');
    host = await mountWith(pool.path, `import fs from 'node:fs';
      const { readSync } = fs;
      fs.readSync = (fd, into, ...rest) => {
        const length = readSync(fd, into, ...rest);
        if (fd === 3 && into.readUInt32LE(4) === 16 && fs.existsSync('${deaf}')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        return length;
      };`);
    const [child] = childrenOf(host.session.pid);
    const mapping = spawn(process.execPath, ['--input-type=module', '-e', `import fs from 'node:fs';
      import { mapShared, viewOf } from '${root}/src/famfs/device/libc.ts';
      const file = fs.openSync('${host.path('dirty/data')}', 'r+');
      new Uint8Array(viewOf(mapShared(file, 4096, true, 'test'), 4096)).fill(7);
      console.log('dirty');
      setInterval(() => {}, 1000);`], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(mapping.stdout, 'data');
      pool.remove('dirty/data');
      await delay(500);
      fs.rmSync(deaf);
      process.kill(child, 'SIGKILL');
      await until(() => assert.equal(startTimeOf(child), undefined));
      assert.equal(await statApart(host.path('vol/data')), 0);
    } finally {
      mapping.kill('SIGKILL');
    }
  });

  it('gives up a request that was the end of two serving processes, and serves all else', async () => {
    pool.volume('bad', 2 * MIB);
    const [at, length, poison] = [5 * 4096, 8192, 66];
    // What it copies into the device's memory kills a worker, as memory does that fails.
    host = await mountWith(pool.path, `const { set } = Uint8Array.prototype;
      Uint8Array.prototype.set = function (source, ...rest) {
        if (source.length === ${length} && source[0] === ${poison}) {
          process.kill(process.pid, 'SIGBUS');
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        }
        return set.call(this, source, ...rest);
      };`);
    const fd = fs.openSync(host.path('bad/data'), 'r+');
    const write = (offset: number, byte = 1) => outcome(() => fs.writeSync(fd, Buffer.alloc(length, byte), 0, length, offset));
    const restarts = () => readTotals(countersFile(host!.hostDirectory, host!.session.id))!.restarts;
    assert.equal(write(at, poison), 'EIO');
    await until(() => assert.deepEqual(findSessions(host!.hostDirectory)[0].record.bad, [{ node: pool.node('bad/data'), offset: at, length }]));
    assert.equal(restarts(), 2);
    assert.deepEqual([write(0), write(at + length)], ['OK', 'OK']);
    assert.equal(outcome(() => fs.readSync(fd, Buffer.alloc(4096), 0, 4096, at + 4096)), 'EIO');
    assert.equal(restarts(), 2);
    fs.closeSync(fd);
    await host.unmount();
  });

  it('answers EIO where memory is gone, without an end of its serving process', async () => {
    const shrinking = await PoolFixture.make(64 * MIB);
    for (const name of ['low', 'high']) shrinking.volume(name, 4 * MIB);
    host = await Host.mount(shrinking.path);
    const [low, high] = ['low', 'high'].map((name) => fs.openSync(host!.path(`${name}/data`), 'r'));
    const read = (fd: number, at: number) => outcome(() => fs.readSync(fd, Buffer.alloc(MIB), 0, MIB, at));
    assert.deepEqual([read(low, 0), read(high, 3 * MIB)], ['OK', 'OK']);
    const [{ start }] = shrinking.pool.view.extents(shrinking.node('high/data'));
    fs.truncateSync(shrinking.path, start + 2 * MIB);
    assert.deepEqual([read(high, 3 * MIB), read(high, 2 * MIB), read(high, MIB), read(low, 0)], ['EIO', 'EIO', 'OK', 'OK']);
    assert.equal(readTotals(countersFile(host.hostDirectory, host.session.id))!.restarts, 0);
    for (const fd of [low, high]) fs.closeSync(fd);
    await host.unmount();
    shrinking.close();
  });

  it('is over when for a time no child can serve: then its users get an error', async () => {
    host = await mountWith(pool.path, `import fs from 'node:fs';
      if (process.argv[1].includes('child') && fs.existsSync(JSON.parse(process.argv[2]).hostDirectory + '/broken')) process.exit(3);`, { gracePeriodMs: 8000 });
    fs.writeFileSync(join(host.hostDirectory, 'broken'), '');
    const fd = fs.openSync(host.path('vol/data'), 'r');
    process.kill(childrenOf(host.session.pid)[0], 'SIGKILL');
    const { failure } = await host.session.closed;
    assert.match(failure!, /the serving process exited with 3; for 8 s no other could serve, the session is over/);
    assert.match(outcome(() => fs.readSync(fd, Buffer.alloc(8), 0, 8, 0)), /ENOTCONN|ECONNABORTED/);
    outcome(() => fs.closeSync(fd));
    await until(() => assert.equal(famfsMountAt(host!.directory), undefined));
  });

  it('ends when it is unmounted while no child can serve', async () => {
    host = await mountWith(pool.path, `import fs from 'node:fs';
      if (process.argv[1].includes('child') && fs.existsSync(JSON.parse(process.argv[2]).hostDirectory + '/broken')) process.exit(3);`);
    fs.writeFileSync(join(host.hostDirectory, 'broken'), '');
    const [child] = childrenOf(host.session.pid);
    process.kill(child, 'SIGKILL');
    await until(() => assert.equal(startTimeOf(child), undefined));
    await host.unmount();
    assert.deepEqual(await host.session.closed, {});
  });

  it('gets a new serving child when it is asked to, while the old one works', async () => {
    host = await Host.mount(pool.path);
    const [child] = childrenOf(host.session.pid);
    process.kill(host.session.pid, 'SIGUSR2');
    await until(() => {
      const [{ record }] = findSessions(host!.hostDirectory);
      assert.notEqual(record.child.pid, child);
      assert.deepEqual(childrenOf(host!.session.pid), [record.child.pid]);
    });
    assert.equal(fs.readFileSync(host.path('vol/data')).length, 2 * MIB);
    await host.unmount();
    assert.deepEqual(await host.session.closed, {});
  });

  it('is served on when its supervisor dies, until it is unmounted', async () => {
    host = await Host.mount(pool.path);
    const [child] = childrenOf(host.session.pid);
    process.kill(host.session.pid, 'SIGKILL');
    await host.session.closed;
    assert.equal(fs.statSync(host.path('vol/data')).size, 2 * MIB);
    await host.unmount();
    await until(() => assert.equal(startTimeOf(child), undefined));
  });

  it('unmounts when its signal aborts, and does not start when it has', async () => {
    const stop = new AbortController();
    host = await Host.mount(pool.path, { signal: stop.signal });
    stop.abort();
    assert.deepEqual(await host.session.closed, {});
    await assert.rejects(Host.mount(pool.path, { signal: stop.signal }), { name: 'AbortError' });
  });

  it('can be read-only', async () => {
    host = await Host.mount(pool.path, { readOnly: true });
    assert.equal(outcome(() => fs.openSync(host!.path('vol/data'), 'r+')), 'EROFS');
    assert.equal(outcome(() => fs.chmodSync(host!.path('vol/data'), 0)), 'EROFS');
    assert.equal(fs.readFileSync(host.path('vol/data')).length, 2 * MIB);
  });

  it('shares modes with another session of the same host', async () => {
    host = await Host.mount(pool.path);
    const second = tempDir('second');
    const other = await mountPool({ device: pool.path, directory: second, hostDirectory: host.hostDirectory });
    try {
      assert.equal(fs.statSync(join(second, 'vol/data')).mode & 0o777, 0o644);
      fs.chmodSync(host.path('vol/data'), 0o611);
      await until(() => assert.equal(fs.statSync(join(second, 'vol/data')).mode & 0o777, 0o611));
    } finally {
      await other.unmount();
    }
  });

  describe('is refused', () => {
    const attempt = (device: string, directory = tempDir('mnt')) =>
      mountPool({ device, directory, hostDirectory: tempDir('run'), output: fs.openSync('/dev/null', 'w') });

    it('for a device that is not there', () =>
      assert.rejects(attempt('/nowhere/pool'), { code: 'DEVICE', message: /\/nowhere\/pool/ }));

    it('for a file that is no pool', async () => {
      const file = shmFile('zeros');
      fs.writeFileSync(file, Buffer.alloc(0));
      fs.truncateSync(file, 64 * MIB);
      await assert.rejects(attempt(file), { code: 'NOT_FAMFS' });
    });

    it('for a directory that is not there', () =>
      assert.rejects(attempt(pool.path, '/nowhere/mnt'), { code: 'INVALID', message: /no such directory/ }));

    describe('by a host directory without room', () => {
      let hostDirectory: string;
      beforeEach(() => {
        hostDirectory = tempDir('full');
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', hostDirectory]);
      });
      afterEach(() => void execFileSync('umount', ['-l', hostDirectory]));

      /** Leaves so many pages. */
      const fill = (pages: number) => {
        const filler = join(hostDirectory, 'filler');
        execFileSync('sh', ['-c', `cat /dev/zero > ${filler} || true`], { stdio: 'ignore' });
        fs.truncateSync(filler, fs.statSync(filler).size - pages * 4096);
      };
      const mount = (directory = tempDir('mnt')) => mountPool({ device: pool.path, directory, hostDirectory, output: fs.openSync('/dev/null', 'w') });

      it('which it says with the directory and the bytes: of overrides, of its record, of counters', async () => {
        fill(10);
        await assert.rejects(mount(), (error: FamfsError) => {
          assert.equal(error.code, 'NO_SPACE');
          assert.match(error.message, new RegExp(`^${hostDirectory}/overrides: no room for the 4198400 bytes of ${pool.uuid}-${pool.logLife} \\(ENOSPC\\)`));
          return true;
        });
        fs.rmSync(join(hostDirectory, 'filler'));
        Overrides.open(hostDirectory, pool.uuid, pool.logLife).close();
        for (const [pages, what] of [[0, 'json.new'], [1, 'counters']] as const) {
          fill(pages);
          const directory = tempDir('mnt');
          await assert.rejects(mount(directory), { code: 'NO_SPACE', message: new RegExp(`^${hostDirectory}/sessions: no room for the \\d+ bytes of .*${what}`) });
          assert.equal(famfsMountAt(directory), undefined);
        }
      });
    });

    it('where a pool is mounted already', async () => {
      host = await Host.mount(pool.path);
      await assert.rejects(attempt(pool.path, host.directory), { code: 'IN_USE' });
    });
  });

  it('works for an ordinary user in a namespace of their own', () => {
    const script = [join(root, 'test/support/in-namespace.ts'), pool.path, tempDir('mnt'), tempDir('run')];
    const run = spawnSync('unshare', ['-Urm', process.execPath, ...script], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /mounted, written, read and unmounted/);
  });

  describe('on the command line', () => {
    const famfs = (...args: string[]) => spawnSync(program, args, { encoding: 'utf8' });

    it('mount returns when it serves, umount ends it', async () => {
      const directory = tempDir('mnt');
      const hostDirectory = tempDir('run');
      const mounted = famfs('mount', pool.path, directory, '--host-dir', hostDirectory);
      assert.equal(mounted.status, 0, mounted.stderr);
      assert.equal(fs.statSync(join(directory, 'vol/data')).size, 2 * MIB);
      const [session] = findSessions(hostDirectory);

      const fd = fs.openSync(join(directory, 'vol/data'), 'r');
      const busy = famfs('umount', directory);
      assert.equal(busy.status, 1);
      assert.match(busy.stderr, /is in use: files are open below it/);
      fs.closeSync(fd);

      assert.equal(famfs('umount', directory).status, 0);
      await session.closed;
      const again = famfs('umount', directory);
      assert.equal(again.status, 1);
      assert.match(again.stderr, /no famfs pool is mounted/);
    });

    it('mount says what is wrong', () => {
      const run = famfs('mount', '/nowhere/pool', tempDir('mnt'), '--host-dir', tempDir('run'));
      assert.equal(run.status, 1);
      assert.match(run.stderr, /famfs-csi: \/nowhere\/pool: no such device/);
    });
  });
});

/** Two hosts with one pool, each a real mount of its own: what they see of each other. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { MIB } from '../../src/famfs/units.ts';
import { root } from '../harness/paths.ts';
import { Host, outcome } from '../support/host.ts';
import { fallocate, getxattr, listxattr, lseek, setxattr, withMapping } from '../support/libc.ts';
import { manyUsers } from '../support/other-user.ts';
import { PoolFixture } from '../support/pool-fixture.ts';
import { until } from '../support/until.ts';

describe('two hosts with one pool', () => {
  let pool: PoolFixture;
  let a: Host;
  let b: Host;

  before(async () => {
    pool = await PoolFixture.make(256 * MIB);
    pool.volume('vol', 4 * MIB);
    [a, b] = await Promise.all([Host.mount(pool.path), Host.mount(pool.path)]);
  });

  after(async () => {
    await Promise.all([a?.end(), b?.end()]);
    pool?.close();
  });

  /** A new volume for a test that removes or damages. */
  let volumes = 0;
  const volume = (size = 2 * MIB) => {
    const name = `v${++volumes}`;
    pool.volume(name, size);
    return name;
  };

  it('say in /proc/mounts what is mounted', () => {
    const line = fs.readFileSync('/proc/self/mounts', 'utf8').split('\n').find((text) => text.includes(a.directory))!;
    const [source, , type, options] = line.split(' ');
    assert.equal(source, `famfs:${pool.uuid}`);
    assert.equal(type, 'fuse.famfs');
    for (const option of ['rw', 'nosuid', 'nodev', 'default_permissions', 'allow_other']) {
      assert.ok(options.split(',').includes(option), option);
    }
  });

  it('give every file the same number: its log index + 2', () => {
    for (const name of ['vol', 'vol/data']) {
      for (const host of [a, b]) assert.equal(fs.statSync(host.path(name)).ino, pool.node(name));
    }
    assert.equal(fs.statSync(a.directory).ino, 1);
  });

  it('read what the other has written, through files open all the time', () => {
    const writer = fs.openSync(a.path('vol/data'), 'r+');
    const reader = fs.openSync(b.path('vol/data'), 'r');
    for (const [offset, length] of [[0, 1], [4095, 2], [MIB - 7, 2 * MIB + 11], [4 * MIB - 3, 3]]) {
      const written = Buffer.alloc(length, offset % 251);
      const read = Buffer.alloc(length);
      assert.equal(fs.writeSync(writer, written, 0, length, offset), length);
      assert.equal(fs.readSync(reader, read, 0, length, offset), length);
      assert.ok(read.equals(written), `${length} bytes at ${offset}`);
    }
    fs.closeSync(writer);
    fs.closeSync(reader);
  });

  it('find a new volume at the next lookup, although they looked for it before', () => {
    for (let k = 0; k < 20; k++) {
      const name = `new${k}`;
      assert.equal(outcome(() => fs.statSync(b.path(name))), 'ENOENT');
      pool.volume(name, 2 * MIB);
      assert.equal(fs.statSync(b.path(`${name}/data`)).size, 2 * MIB);
      assert.equal(fs.statSync(a.path(`${name}/data`)).size, 2 * MIB);
    }
  });

  it('list a new volume', () => {
    const before = fs.readdirSync(b.directory);
    const name = volume();
    assert.deepEqual(fs.readdirSync(b.directory).sort(), [...before, name].sort());
    assert.deepEqual(fs.readdirSync(a.path(name)), ['data']);
  });

  it('list a large directory whole, while it grows and shrinks', () => {
    const names = Array.from({ length: 1000 }, (_, k) => `directory-${k}`);
    pool.directories(['large', ...names.map((name) => `large/${name}`)]);
    const listing = fs.opendirSync(b.path('large'), { bufferSize: 10 });
    const found: string[] = [];
    for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) {
      assert.ok(entry.isDirectory());
      if (found.push(entry.name) === 100) {
        pool.remove('large/directory-999');
        pool.directories(['large/late']);
      }
    }
    listing.closeSync();
    const sure = names.slice(0, -1);
    const missing = sure.filter((name) => !found.includes(name));
    assert.deepEqual([missing, found.length], [[], new Set(found).size], 'each once');
    assert.deepEqual(fs.readdirSync(a.path('large')).sort().join(), [...sure, 'late'].sort().join());
  });

  it('answer ESTALE for a removed file at once, through files opened before', async () => {
    const name = volume();
    const open = [a, b].map((host) => fs.openSync(host.path(`${name}/data`), 'r+'));
    for (const fd of open) assert.equal(fs.readSync(fd, Buffer.alloc(10), 0, 10, 0), 10);
    pool.remove(`${name}/data`);
    for (const fd of open) {
      assert.equal(outcome(() => fs.readSync(fd, Buffer.alloc(10), 0, 10, 0)), 'ESTALE');
      assert.equal(outcome(() => fs.writeSync(fd, 'x', 0)), 'ESTALE');
      assert.equal(outcome(() => fs.fsyncSync(fd)), 'ESTALE');
    }
    // Names and attributes are cached until the host has noticed: within the poll of 20 ms.
    await until(() => {
      for (const fd of open) assert.equal(outcome(() => fs.fstatSync(fd)), 'ESTALE');
      for (const host of [a, b]) assert.equal(outcome(() => fs.statSync(host.path(`${name}/data`))), 'ENOENT');
    });
    for (const fd of open) fs.closeSync(fd);
    for (const host of [a, b]) assert.deepEqual(fs.readdirSync(host.path(name)), []);
  });

  it('see another file where a name is used again', async () => {
    const name = volume();
    withFile(a.path(`${name}/data`), 'r+', (fd) => fs.writeSync(fd, 'old', 0));
    const before = fs.statSync(b.path(`${name}/data`)).ino;
    pool.remove(`${name}/data`);
    pool.remove(name);
    await until(() => assert.equal(outcome(() => fs.statSync(b.path(name))), 'ENOENT'));
    pool.volume(name, 2 * MIB);
    const now = fs.statSync(b.path(`${name}/data`)).ino;
    assert.ok(now > before);
    assert.deepEqual(readAt(b.path(`${name}/data`), 0, 3), Buffer.alloc(3));
  });

  describe('refuse, and the file stays as it is:', () => {
    const file = (host = a) => host.path('vol/data');
    const refused: [string, string, () => unknown][] = [
      ['truncation by path', 'EINVAL', () => fs.truncateSync(file(), 0)],
      ['truncation when opened', 'EINVAL', () => fs.openSync(file(), 'w')],
      ['growth', 'EINVAL', () => fs.truncateSync(file(), 5 * MIB)],
      ['truncation of an open file', 'EINVAL', () => withFile(file(), 'r+', (fd) => fs.ftruncateSync(fd, 1))],
      ['creation', 'EPERM', () => fs.openSync(a.path('vol/other'), 'wx')],
      ['mkdir', 'EPERM', () => fs.mkdirSync(a.path('other'))],
      ['rename', 'EPERM', () => fs.renameSync(file(), a.path('vol/renamed'))],
      ['unlink', 'EPERM', () => fs.unlinkSync(file())],
      ['rmdir', 'EPERM', () => fs.rmdirSync(a.path('vol'))],
      ['link', 'EPERM', () => fs.linkSync(file(), a.path('vol/linked'))],
      ['symlink', 'EPERM', () => fs.symlinkSync('data', a.path('vol/linked'))],
      ['fallocate', 'ENOTSUP', () => withFile(file(), 'r+', (fd) => fallocate(fd, 0, 8 * MIB))],
      ['setxattr', 'ENOTSUP', () => setxattr(file(), 'user.x', '1')],
      ['a write at the end', 'ENOSPC', () => withFile(file(), 'r+', (fd) => fs.writeSync(fd, 'x', 4 * MIB))],
    ];
    for (const [what, errno, call] of refused) {
      it(`${what}: ${errno}`, () => {
        const fd = fs.openSync(file(), 'r+');
        fs.writeSync(fd, 'still here', 100);
        assert.equal(outcome(call), errno);
        for (const host of [a, b]) {
          assert.equal(readAt(file(host), 100, 10).toString(), 'still here');
          assert.equal(fs.statSync(file(host)).size, 4 * MIB);
          assert.deepEqual(fs.readdirSync(host.path('vol')), ['data']);
        }
        fs.closeSync(fd);
      });
    }
  });

  it('write short across the end, and accept the size a file has', () => {
    const fd = fs.openSync(a.path('vol/data'), 'r+');
    assert.equal(fs.writeSync(fd, Buffer.alloc(100), 0, 100, 4 * MIB - 40), 40);
    assert.equal(fs.readSync(fd, Buffer.alloc(100), 0, 100, 4 * MIB - 40), 40);
    assert.equal(fs.readSync(fd, Buffer.alloc(100), 0, 100, 4 * MIB), 0);
    fs.ftruncateSync(fd, 4 * MIB);
    assert.equal(lseek(fd, 10, 3), 10);
    assert.equal(lseek(fd, 10, 4), 4 * MIB);
    fs.closeSync(fd);
  });

  it('tell the pool\'s true numbers', () => {
    const usage = pool.usage();
    for (const host of [a, b]) {
      const { bsize, blocks, bfree, bavail, files, ffree } = fs.statfsSync(host.directory);
      assert.equal(blocks * bsize, usage.totalBytes);
      assert.equal(bfree * bsize, usage.freeBytes);
      assert.equal(bavail, bfree);
      assert.deepEqual([files, ffree], [usage.slotsTotal, usage.slotsTotal - usage.slotsUsed]);
    }
    assert.ok(usage.quarantinedBytes > 0, 'removed files are not free yet');
  });

  it('tell pool and extents in extended attributes', () => {
    assert.deepEqual(listxattr(a.path('vol/data')), ['user.famfs.pool', 'user.famfs.extents']);
    assert.equal(getxattr(a.path('vol'), 'user.famfs.pool'), pool.uuid);
    const { extents } = JSON.parse(getxattr(b.path('vol/data'), 'user.famfs.extents')) as { extents: { length: number }[] };
    assert.deepEqual(extents.map(({ length }) => length), [4 * MIB]);
    assert.equal(outcome(() => getxattr(a.path('vol/data'), 'user.other')), 'ENODATA');
  });

  it('keep modes, owners and times to themselves, also over a remount', async () => {
    const name = volume();
    const file = `${name}/data`;
    const pristine = fs.statSync(b.path(file));
    const severalUsers = manyUsers();
    const [uid, gid] = severalUsers ? [1234, 4321] : [0, 0];
    fs.chmodSync(a.path(file), 0o640);
    fs.chownSync(a.path(file), uid, gid);
    fs.utimesSync(a.path(file), 1000.5, 2000.25);
    const check = () => {
      const { mode, uid: owner, gid: group, atimeMs, mtimeMs } = fs.statSync(a.path(file));
      assert.deepEqual([mode, owner, group, atimeMs, mtimeMs], [0o100640, uid, gid, 1000500, 2000250]);
    };
    check();
    await a.unmount();
    a = await Host.mount(pool.path, {}, a);
    check();
    const other = fs.statSync(b.path(file));
    for (const field of ['mode', 'uid', 'gid', 'mtimeMs'] as const) assert.equal(other[field], pristine[field], field);
  });

  it('see what was stored through a mapping and closed', () => {
    const reader = fs.openSync(b.path('vol/data'), 'r');
    for (let round = 1; round <= 20; round++) {
      withMapping(a.path('vol/data'), 4 * MIB, true, (bytes) => {
        bytes.writeUInt32LE(round, 0);
        bytes.writeUInt32LE(round, 3 * MIB);
      });
      const bytes = Buffer.alloc(4);
      fs.readSync(reader, bytes, 0, 4, 3 * MIB);
      assert.equal(bytes.readUInt32LE(0), round, 'by read');
      assert.equal(withMapping(b.path('vol/data'), 4 * MIB, false, (mapped) => mapped.readUInt32LE(0)), round, 'by a new mapping');
    }
    fs.closeSync(reader);
  });

  for (const use of ['read', 'written'] as const) {
    it(`take a removed file out of mappings that are ${use}: SIGBUS, and nobody waits`, async () => {
      const name = volume();
      // A process of its own touches every page of its mapping, over and over.
      const script = `
        import fs from 'node:fs';
        import { mapShared, viewOf } from '${join(root, 'src/famfs/device/libc.ts')}';
        const fd = fs.openSync(process.argv[1], 'r+');
        const bytes = Buffer.from(viewOf(mapShared(fd, ${2 * MIB}, true, 'test'), ${2 * MIB}));
        console.log('mapped', bytes[0]);
        const end = Date.now() + 10000;
        let sum = 0;
        while (Date.now() < end) {
          for (let at = 0; at < bytes.length; at += 4096) ${use === 'read' ? 'sum += bytes[at]' : 'bytes[at]++'};
        }`;
      const child = runScript(script, b.path(`${name}/data`));
      await child.said('mapped');
      pool.remove(`${name}/data`);
      // Dropping dirty pages makes the kernel write them first, while lookups wait for the replay.
      const started = performance.now();
      for (let k = 0; k < 20; k++) {
        pool.directories([`${name}/${k}`]);
        assert.ok(fs.statSync(b.path(`${name}/${k}`)).isDirectory());
      }
      assert.ok(performance.now() - started < 2000);
      assert.equal((await child.ended).signal, 'SIGBUS');
    });
  }

  it('clear the set-id bits of a file that somebody else writes to', async function () {
    if (!manyUsers()) this.skip();
    const name = volume();
    const file = a.path(`${name}/data`);
    fs.chmodSync(file, 0o6777);
    withFile(file, 'r+', (fd) => fs.writeSync(fd, 'x', 0));
    assert.equal(fs.statSync(file).mode & 0o7777, 0o6777, 'root may');
    const written = spawnSync('dd', [`of=${file}`, 'conv=notrunc'], { input: 'x', uid: 65534, gid: 65534 });
    assert.equal(written.status, 0);
    await until(() => assert.equal(fs.statSync(file).mode & 0o7777, 0o777));
  });

  it('let the kernel check permissions', function () {
    if (!manyUsers()) this.skip();
    const name = volume();
    fs.chmodSync(a.path(`${name}/data`), 0o600);
    const cat = () => spawnSync('cat', [a.path(`${name}/data`)], { uid: 65534, gid: 65534, encoding: 'utf8', maxBuffer: 8 * MIB });
    assert.match(cat().stderr, /Permission denied/);
    fs.chmodSync(a.path(`${name}/data`), 0o604);
    assert.equal(cat().status, 0);
  });
});

function withFile<T>(path: string, flags: string, use: (fd: number) => T): T {
  const fd = fs.openSync(path, flags);
  try {
    return use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function readAt(path: string, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  withFile(path, 'r', (fd) => fs.readSync(fd, bytes, 0, length, offset));
  return bytes;
}

/** Runs a module of TypeScript text in a process of its own. */
function runScript(script: string, ...args: string[]) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const said = (text: string) => until(() => assert.ok(output.includes(text)));
  return { ended, said };
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { FamfsErrorCode } from '../../../../src/famfs/errors.ts';
import { decodeSuperblock, superblockProblem } from '../../../../src/famfs/format/superblock.ts';
import { describeProblem } from '../../../../src/famfs/log/problem.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { defaultLogSize, mkfs, smallestDevice } from '../../../../src/famfs/mkfs/mkfs.ts';
import { makeSparse } from '../../../../src/famfs/mkfs/simulated-file.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { LogFlood } from '../../../faults/log-flood.ts';
import { shmFile, tempDir } from '../../../harness/temp.ts';
import { manyUsers } from '../../../support/other-user.ts';
import { AU, CLUSTER, file, newPool, openWriter } from '../../../support/pools.ts';
import { rejects } from '../../../support/rejects.ts';
import { vector } from '../../../support/vectors.ts';

describe('mkfs', () => {
  it('formats nothing but what is empty when it is told so, whatever else it is told', async () => {
    const size = smallestDevice(8 * MIB);
    const options = { clusterUuid: CLUSTER, logSize: 8 * MIB, onlyEmpty: true, force: true };
    for (const at of [0, 100, 3072, 2 * MIB - 1, 2 * MIB, 10 * MIB - 1]) {
      const device = shmFile('used');
      const before = Buffer.alloc(size);
      before[at] = 1;
      fs.writeFileSync(device, before);
      await rejects(mkfs(device, options), 'EXISTS', /is not empty/);
      assert.ok(fs.readFileSync(device).equals(before));
    }
    const empty = shmFile('empty');
    const data = Buffer.alloc(size);
    data[10 * MIB] = 1; // behind the log: memory of nobody
    fs.writeFileSync(empty, data);
    await mkfs(empty, options);
    assert.equal(fsck(empty).status, 0);
    const made = fs.readFileSync(empty);
    await rejects(mkfs(empty, options), 'EXISTS', /holds the famfs/);
    assert.ok(fs.readFileSync(empty).equals(made));
  });

  it('makes an empty pool whose bytes are those of the reference but for the names', async () => {
    const { superblock, log, json } = vector('a-empty-4g');
    const device = shmFile('pool');
    const made = await mkfs(device, { clusterUuid: json.superblock.system_uuid, simulate: json.device_size });
    const fd = fs.openSync(device, 'r');
    const [mine, header] = [Buffer.alloc(200), Buffer.alloc(48)];
    fs.readSync(fd, mine, 0, 200, 0);
    fs.readSync(fd, header, 0, 48, 2 * MIB);
    fs.closeSync(fd);
    assert.equal(superblockProblem(mine), undefined);
    const { uuid, deviceUuid, crc, deviceName, ...fields } = decodeSuperblock(mine);
    assert.deepEqual({ ...decodeSuperblock(superblock), ...fields, uuid, deviceUuid, crc, deviceName }, decodeSuperblock(mine));
    assert.equal(uuid, made.uuid);
    assert.notEqual(uuid, deviceUuid);
    assert.deepEqual(header, log);
    assert.equal(fsck(device).status, 0);
  });

  it('sizes the log by the device, and takes the smallest device there can be', async () => {
    assert.equal(defaultLogSize(4 * 2 ** 30), 8 * MIB);
    assert.equal(defaultLogSize(100 * 2 ** 30), 64 * MIB);
    assert.equal(defaultLogSize(2 ** 40), 1024 * MIB);
    assert.equal(defaultLogSize(2 ** 50), 8192 * MIB);
    assert.equal(smallestDevice(8 * MIB), 12 * MIB);
    const device = await newPool(1);
    const { writer, stop } = await openWriter(device);
    writer.create([file('all', AU)]);
    stop();
  });

  it('refuses sizes that cannot work, and leaves no file behind', async () => {
    const device = shmFile('pool');
    const cases: [object, RegExp][] = [
      [{ simulate: 12 * MIB - 1 }, /12582911 bytes are too few.*at least 12582912/],
      [{ simulate: 0 }, /pool: a device of 0 bytes/],
      [{ simulate: 64 * MIB, logSize: 4 * MIB }, /log of 4194304 bytes/],
      [{ simulate: 64 * MIB, logSize: 9 * MIB }, /power of two/],
      [{ simulate: 64 * MIB, logSize: 64 * MIB }, /needs a device of at least/],
      [{ simulate: Number.MAX_VALUE }, /not possible/],
    ];
    for (const [options, text] of cases) {
      await rejects(mkfs(device, { clusterUuid: CLUSTER, ...options }), 'INVALID', text);
      assert(!fs.existsSync(device));
    }
    await rejects(mkfs(device, { clusterUuid: 'me', simulate: 64 * MIB }), 'INVALID', /"me" is not the UUID/);
    await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'DEVICE', /no such device/);
    await rejects(mkfs('/dev/null', { clusterUuid: CLUSTER }), 'DEVICE', /not one of the dax subsystem/);
    await rejects(mkfs(path.dirname(device), { clusterUuid: CLUSTER }), 'DEVICE', /is a directory, not a device/);
  });

  it('destroys a file system only when forced to, and clears what was there', async () => {
    const device = await newPool(4);
    const host = await openWriter(device);
    const [node] = host.writer.create([file('secret')]);
    const { start } = host.pool.view.extents(node.node)[0];
    host.pool.memory.write(start, Buffer.from('secret'));
    await rejects(mkfs(device, { clusterUuid: CLUSTER, force: true }), 'IN_USE', /in use on this host/);
    host.stop();
    await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'EXISTS', /--force destroys it/);
    await rejects(mkfs(device, { clusterUuid: CLUSTER, simulate: 64 * MIB }), 'EXISTS', /exists with .* bytes, not 67108864/);
    await mkfs(device, { clusterUuid: CLUSTER, force: true });
    assert(fs.readFileSync(device).indexOf('secret') < 0);
    assert.equal(fsck(device).usage?.files, 0);
    assert.equal((await openWriter(device)).writer.epoch, 1);
  });

  describe('of a simulated device', () => {
    /** A file as large as a pool, which is not to be touched. */
    function used(): string {
      const device = shmFile('theirs');
      fs.writeFileSync(device, 'precious', { mode: 0o644 });
      fs.truncateSync(device, 16 * MIB);
      return device;
    }
    async function refusesToTouch(device: string, code: FamfsErrorCode, reason: RegExp): Promise<void> {
      const before = fs.readFileSync(device);
      for (const force of [false, true]) await rejects(mkfs(device, { clusterUuid: CLUSTER, simulate: 16 * MIB, force }), code, reason);
      assert.ok(fs.readFileSync(device).equals(before));
    }

    it('takes a file that is there and ours alone', async () => {
      const device = used();
      await mkfs(device, { clusterUuid: CLUSTER, simulate: 16 * MIB });
      assert.equal(fsck(device).status, 0);
    });

    it('refuses a file of another user, also when forced', async function () {
      if (!manyUsers()) this.skip();
      const device = used();
      fs.chownSync(device, 65534, 65534);
      await refusesToTouch(device, 'EXISTS', /theirs exists and belongs to user 65534, not to user 0 .*--force/);
    });

    it('refuses a file that others may write, also when forced', async () => {
      const device = used();
      fs.chmodSync(device, 0o664);
      await refusesToTouch(device, 'EXISTS', /can be written by others than its owner \(mode 0664\)/);
    });

    it('refuses a file of several names, also when forced', async () => {
      const device = used();
      fs.linkSync(device, `${device}-2`);
      await refusesToTouch(device, 'EXISTS', /has 2 names \(hard links\)/);
    });

    it('refuses a symbolic link, also when forced', async () => {
      const link = `${used()}-link`;
      fs.symlinkSync('theirs', link);
      await refusesToTouch(link, 'DEVICE', /theirs-link: is a symbolic link: name what it leads to/);
      assert.ok(fs.lstatSync(link).isSymbolicLink());
    });

    it('refuses what is no regular file', async () => {
      const pipe = shmFile('pipe');
      execFileSync('mkfifo', [pipe]);
      await rejects(mkfs(pipe, { clusterUuid: CLUSTER, simulate: 16 * MIB }), 'INVALID', /is not a regular file: leave --simulate out/);
      await rejects(mkfs('/dev/null', { clusterUuid: CLUSTER, simulate: 16 * MIB }), 'INVALID', /is not a regular file/);
    });

    it('formats what it has made, and nothing that took its name meanwhile', () => {
      const device = shmFile('new');
      const { isNew, judge } = makeSparse(device, 16 * MIB);
      assert.ok(isNew);
      judge(fs.statSync(device));
      fs.renameSync(used(), device);
      assert.throws(() => judge(fs.statSync(device)), { code: 'EXISTS', message: /has been replaced meanwhile/ });
    });
  });

  it('cannot be done on a device that allows no writing', async function () {
    const device = await newPool(1);
    fs.chmodSync(device, 0o444);
    if (process.getuid?.() === 0) return; // root writes to it all the same
    await rejects(mkfs(device, { clusterUuid: CLUSTER, force: true }), 'READ_ONLY', /cannot be opened for writing/);
  });
});

describe('fsck', () => {
  it('exits 2 when it could not look', () => {
    assert.equal(fsck(path.join(tempDir(), 'missing')).status, 2);
    assert.equal(fsck('/dev/null').status, 2);
  });

  it('exits 1 and says so when there is no famfs', () => {
    const device = shmFile('zeros');
    fs.writeFileSync(device, '');
    fs.truncateSync(device, 16 * MIB);
    const report = fsck(device);
    assert.equal(report.status, 1);
    assert.match(report.failure ?? '', /magic is 0x0/);
  });

  it('names the first thousand refused entries, and says how many more there are', async () => {
    const device = await newPool(4);
    const { writer, stop } = await openWriter(device);
    writer.create([file('one', AU)]);
    stop();
    const flood = new LogFlood(device, 'one');
    flood.flood(2500, 'a path that is taken');
    flood.close();
    const { status, problems } = fsck(device);
    assert.equal(status, 1);
    assert.equal(problems.length, 1001);
    assert.equal(describeProblem(problems[0]), 'log entry 1 ("one"): entry 0 has that path already');
    assert.equal(describeProblem(problems[1000]), 'log: 1500 more entries are refused');
  });

  it('changes nothing, and works beside a writer', async () => {
    const device = await newPool();
    const { writer, stop } = await openWriter(device);
    writer.create([file('a')]);
    const before = fs.readFileSync(device);
    assert.equal(fsck(device).status, 0);
    const claim = 4096; // the heartbeat moves meanwhile
    assert(fs.readFileSync(device).subarray(2 * MIB).equals(before.subarray(2 * MIB)));
    assert(fs.readFileSync(device).subarray(0, claim).equals(before.subarray(0, claim)));
    stop();
    assert.throws(() => Pool.open(sourceOf(device), { writable: false }).memory.superblock.store64(0, 0n), /read-only/);
  });
});

/** What the command line refuses: each with a reason that names the value, and nothing changed. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { shmFile } from '../harness/temp.ts';
import { CommandLine } from '../support/cli.ts';
import { forgeClone } from '../support/forged.ts';

describe('command line refuses', () => {
  let cli: CommandLine;
  before(() => {
    cli = new CommandLine();
  });

  describe('mkfs', () => {
    it('over a pool, unless forced', () => {
      const device = cli.newPool();
      const { uuid } = cli.json('fsck', device);
      const before = readFileSync(device);
      cli.refused(/holds the famfs .*--force/, 'mkfs', device);
      cli.refused(/--force/, 'mkfs', device, '--simulate', '64MiB');
      assert.ok(before.equals(readFileSync(device)));
      cli.must('mkfs', device, '--force');
      assert.notEqual(cli.json('fsck', device)['uuid'], uuid);
    });

    it('over a pool of another version', () => {
      const device = cli.newPool();
      const bytes = readFileSync(device);
      bytes.writeBigUInt64LE(49n, 8);
      writeFileSync(device, bytes);
      cli.refused(/version 49/, 'mkfs', device);
    });

    it('over a damaged pool, and one whose formatting was interrupted', () => {
      const device = cli.newPool();
      const bytes = readFileSync(device);
      bytes[50] ^= 1;
      writeFileSync(device, bytes);
      cli.refused(/damaged \(superblock: CRC.*"famfs-csi fsck".*--force/, 'mkfs', device);
      bytes.fill(0, 0, 4096);
      bytes.write('famfsfmt', 3072, 'latin1');
      writeFileSync(device, bytes);
      cli.refused(/formatting of it was interrupted; --force/, 'mkfs', device);
      cli.must('mkfs', device, '--force');
    });

    it('on a device in use, forced or not', () => {
      const device = cli.newPool();
      const directory = join(cli.directory, 'in-use');
      mkdirSync(directory);
      cli.must('mount', device, directory);
      try {
        cli.refused(/in use/, 'mkfs', device);
        cli.refused(/in use/, 'mkfs', device, '--force');
        cli.refused(/in use.*unmount it/, 'adopt', device);
      } finally {
        cli.must('umount', directory);
      }
      cli.must('mkfs', device, '--force');
    });

    it('on a device that is too small, missing, or no device, and leaves no file', () => {
      const device = shmFile('none');
      for (const size of ['0', '1', '2MiB', '10MiB', '11MiB']) {
        cli.refused(/bytes/, 'mkfs', device, '--simulate', size);
        assert.ok(!existsSync(device), `${size} left a file`);
      }
      cli.must('mkfs', device, '--simulate', '12MiB');
      cli.refused(/\/no\/such\/device/, 'mkfs', '/no/such/device');
      cli.refused(/\/no\/such\/folder/, 'mkfs', '/no/such/folder/device', '--simulate', '64MiB');
      cli.refused(/\/dev\/null/, 'mkfs', '/dev/null');
      cli.refused(new RegExp(`${cli.directory} is a directory`), 'mkfs', cli.directory);
      cli.refused(/size|bytes/, 'mkfs', device, '--force', '--simulate', '32MiB');
      assert.equal(statSync(device).size, 12 << 20, 'a device must keep its size');
    });

    it('a log of a size that the format does not know', () => {
      for (const size of ['0', '4MiB', '12MiB', '8388609', '64MiB', '1TiB']) {
        const device = shmFile('pool');
        cli.refused(/log/, 'mkfs', device, '--simulate', '64MiB', '--log-size', size);
        assert.ok(!existsSync(device));
      }
    });

    it('an owner that is no UUID', () => {
      cli.refused(/"me"/, 'mkfs', shmFile('pool'), '--simulate', '64MiB', '--cluster', 'me');
    });
  });

  describe('changes', () => {
    let device: string;
    before(() => {
      device = cli.newPool();
      cli.must('mkdir', device, 'directory');
      cli.must('creat', device, 'directory/file', '2MiB');
    });

    /** The pool's log and numbers, which a refusal must leave as they were. */
    const state = (): unknown => [cli.json('log', device)['entries'], cli.json('df', device)];

    it('under names that could harm', () => {
      const before = state();
      const names = [
        '', '/', '..', '../up', 'directory/../up', './here', 'directory//file', 'line\nbreak', '\x1b[2J',
        'directory/file/below', 'no-parent/file', 'x'.repeat(80), 'ä'.repeat(40), '.meta', '.meta/', '/.meta/.log', '//.meta//',
      ];
      names.forEach((name, k) => {
        if (k % 2 === 0) cli.refused(/./, 'creat', device, name, '2MiB');
        else cli.refused(/./, 'mkdir', device, name);
      });
      assert.deepEqual(state(), before);
    });

    it('of sizes that cannot be', () => {
      const before = state();
      cli.refused(/\b0\b/, 'creat', device, 'new', '0');
      cli.refused(/52 MiB|54525953|54525952/, 'creat', device, 'new', '54525953');
      cli.refused(/./, 'creat', device, 'new', '1TiB');
      assert.deepEqual(state(), before);
      cli.must('creat', device, 'one-byte', '1');
      assert.equal(cli.json('df', device)['usedBytes'], 4 << 20);
    });

    it('of what is there already, is not there, or is not empty', () => {
      const before = state();
      cli.refused(/directory\/file exists/, 'creat', device, 'directory/file', '2MiB');
      cli.refused(/directory exists/, 'creat', device, 'directory', '2MiB');
      cli.refused(/directory exists/, 'mkdir', device, 'directory');
      cli.refused(/no-such/, 'rm', device, 'no-such');
      cli.refused(/directory/, 'rm', device, 'directory');
      cli.refused(/root/, 'rm', device, '/');
      cli.refused(/no-such/, 'ls', device, 'no-such');
      assert.deepEqual(state(), before);
    });

    it('of a file whose memory clones of the reference tools have, unless they may go too', () => {
      const cloned = cli.newPool('32MiB');
      cli.must('mkdir', cloned, 'v');
      cli.must('creat', cloned, 'v/first', '2MiB');
      cli.must('creat', cloned, 'v/second', '2MiB');
      const pool = Pool.open(sourceOf(cloned));
      const index = forgeClone(pool, 'v/second', 'clone');
      pool.close();
      const named = new RegExp(`"clone", log entry ${index}\\).*rm --force`);
      cli.refused(named, 'rm', cloned, 'v/second');
      cli.refused(named, 'rm', '-r', cloned, 'v');
      assert.deepEqual(cli.json<{ path: string }[]>('ls', '-r', cloned).map(({ path }) => path), ['v', 'v/first', 'v/second']);
      const { code, err } = cli.run('rm', '-r', '--force', cloned, 'v');
      assert.equal(code, 0, err);
      assert.match(err, /"clone".* is deleted too/);
      assert.equal(cli.run('fsck', cloned).code, 0);
    });

    it('of a full pool', () => {
      const full = cli.newPool('14MiB');
      cli.must('creat', full, 'one', '2MiB');
      cli.must('creat', full, 'two', '2MiB');
      cli.refused(/three|room|free|space/, 'creat', full, 'three', '1');
      cli.must('rm', full, 'one');
      cli.refused(/quarantine|room|free|space/, 'creat', full, 'three', '1');
      assert.equal(cli.run('fsck', full).code, 0);
    });

    it("of another cluster's pool, until it is adopted", () => {
      const before = state();
      const other = ['--cluster', randomUUID()];
      cli.refused(/adopt/, 'creat', device, 'new', '2MiB', ...other);
      cli.refused(/adopt/, 'rm', device, 'directory/file', ...other);
      assert.deepEqual(state(), before);
      const adopted = cli.newPool();
      cli.must('creat', adopted, 'kept', '2MiB');
      const owner = cli.json('adopt', adopted, ...other)['owner'];
      assert.equal(owner, other[1]);
      cli.must('creat', adopted, 'new', '2MiB', ...other);
      cli.refused(/adopt/, 'creat', adopted, 'newer', '2MiB');
      assert.deepEqual(cli.json<{ path: string }[]>('ls', adopted).map(({ path }) => path), ['kept', 'new']);
    });

    it('of a pool of another format version, which no command touches', () => {
      const other = cli.newPool('16MiB');
      const bytes = readFileSync(other);
      bytes.writeUInt32LE(3, 40);
      bytes.writeBigUInt64LE(BigInt(crc32(bytes.subarray(0, 96))), 96);
      writeFileSync(other, bytes);
      const source = join(cli.directory, 'for-another-format');
      writeFileSync(source, 'bytes');
      const directory = join(cli.directory, 'another-format');
      mkdirSync(directory);
      const commands = [
        ['mkdir', other, 'new'], ['creat', other, 'new', '2MiB'], ['cp', source, `${other}:new`], ['rm', other, 'old'], ['adopt', other],
        ['adopt', other, '--assume-stopped'], ['mount', other, directory], ['ls', other], ['df', other], ['log', other],
      ];
      for (const command of commands) cli.refused(/format version is 3\.2/, ...command);
      cli.refused(/format 3\.2.*--force/, 'mkfs', other);
      const { code, out } = cli.run('fsck', other);
      assert.equal(code, 2);
      assert.match(out, /format version is 3\.2.*\n.*could not look/);
      assert(bytes.equals(readFileSync(other)));
    });

    it('on a device that can only be read, which can still be looked at', () => {
      const link = join(cli.directory, 'read-only-device');
      symlinkSync(device, link);
      const script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';
      const readOnly = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', device];
      const creat = cli.runUnder(readOnly, 'creat', device, 'new', '2MiB');
      assert.equal(creat.code, 1);
      assert.match(creat.err, /writing|read-only/i);
      for (const command of ['ls', 'df', 'log', 'fsck']) {
        assert.equal(cli.runUnder(readOnly, command, link).code, 0, command);
      }
    });

    it('of a pool that a controller rules, naming it', async () => {
      const before = state();
      const socket = join(cli.directory, 'controller.sock');
      const options = ['--pool', `p=${device}`, '--state-dir', cli.stateDirectory, '--node-id', 'the-ruler'];
      const own = ['--host-dir', cli.hostDirectory, '--endpoint', `unix://${socket}`];
      const log = join(cli.directory, 'controller.log');
      const controller = startRole('controller', [], [program, 'controller', ...options, ...own], log);
      try {
        await untilServing(controller, socket);
        const source = join(cli.directory, 'source');
        writeFileSync(source, 'bytes');
        cli.refused(/the-ruler.*--assume-stopped/, 'creat', device, 'new', '2MiB');
        cli.refused(/the-ruler/, 'cp', source, `${device}:new`);
        cli.refused(/the-ruler/, 'rm', device, 'directory/file');
        cli.refused(/in use|the-ruler/, 'mkfs', device, '--force');
        cli.must('ls', device);
        cli.must('fsck', device);
      } finally {
        assert.equal(await stopRole(controller), undefined);
      }
      assert.deepEqual(state(), before);
      cli.must('creat', device, 'after-it', '2MiB');
    });
  });
});

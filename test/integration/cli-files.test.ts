/** Files in and out of a pool on the command line: cp, mount, umount. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountPoints, shmFile } from '../harness/temp.ts';
import { CommandLine } from '../support/cli.ts';

describe('command line', () => {
  let cli: CommandLine;
  let device: string;
  let source: string;
  /** On no boundary, and more than one step of the copy. */
  const bytes = randomBytes(17 * 1024 * 1024 + 321);

  before(() => {
    cli = new CommandLine();
    source = join(cli.directory, 'source');
    writeFileSync(source, bytes, { mode: 0o640 });
  });
  beforeEach(() => {
    device = cli.newPool();
  });

  /** Runs something while the pool is mounted. */
  function mounted(options: string[], use: (directory: string) => void): void {
    const directory = join(cli.directory, 'mnt');
    mkdirSync(directory, { recursive: true });
    cli.must('mount', device, directory, ...options);
    try {
      use(directory);
    } finally {
      cli.must('umount', directory);
    }
    assert.ok(!mountPoints().includes(directory));
  }

  describe('cp', () => {
    it('makes a file of the size and mode of its source', () => {
      cli.must('cp', source, `${device}:/copy`);
      const [{ size, mode }] = cli.json<{ size: number; mode: number }[]>('ls', device);
      assert.deepEqual([size, mode], [bytes.length, 0o640]);
      mounted([], (directory) => {
        assert.ok(bytes.equals(readFileSync(join(directory, 'copy'))));
      });
    });

    it('fills an existing file of a mount in place, and copies out of one', () => {
      cli.must('creat', device, 'file', String(bytes.length + 1000));
      mounted([], (directory) => {
        cli.must('cp', source, join(directory, 'file'));
        const out = join(cli.directory, 'out');
        writeFileSync(out, Buffer.alloc(bytes.length + 1000, 7));
        cli.must('cp', join(directory, 'file'), out);
        const copied = readFileSync(out);
        assert.ok(copied.subarray(0, bytes.length).equals(bytes));
        assert.ok(copied.subarray(bytes.length).every((byte) => byte === 0));
      });
    });

    it('copies over while the pool is mounted, and the mount has the file at once', () => {
      mounted([], (directory) => {
        assert.ok(!existsSync(join(directory, 'copy')));
        cli.must('cp', source, `${device}:copy`);
        assert.ok(bytes.equals(readFileSync(join(directory, 'copy'))));
      });
    });

    it('refuses what it cannot do, and leaves the pool as it was', () => {
      const empty = join(cli.directory, 'empty');
      writeFileSync(empty, '');
      cli.must('creat', device, 'there', '2MiB');
      const before = cli.json('log', device)['entries'];
      cli.refused(/no-such-source/, 'cp', '/no-such-source', `${device}:x`);
      cli.refused(/not a regular file/, 'cp', cli.directory, `${device}:x`);
      cli.refused(/empty/, 'cp', empty, `${device}:x`);
      cli.refused(/there exists/, 'cp', source, `${device}:there`);
      cli.refused(/no-such-device/, 'cp', source, '/no-such-device:x');
      cli.refused(/neither/, 'cp', source, join(cli.directory, 'new-file'));
      cli.refused(/\.\./, 'cp', source, `${device}:../x`);
      assert.deepEqual(cli.json('log', device)['entries'], before);
      mounted([], (directory) => {
        cli.refused(/2097152 bytes/, 'cp', source, join(directory, 'there'));
        assert.ok(readFileSync(join(directory, 'there')).every((byte) => byte === 0));
      });
    });

    it('takes a colon in either name', () => {
      const strange = shmFile('pool:with:colons');
      cli.must('mkfs', strange, '--simulate', '64MiB');
      cli.must('cp', source, `${strange}:a:b`);
      assert.equal(cli.json<{ path: string }[]>('ls', strange)[0].path, 'a:b');
    });
  });

  describe('mount', () => {
    it('shows what the pool has, and keeps it when told to', () => {
      cli.must('mkdir', device, 'v');
      cli.must('creat', device, 'v/data', '2MiB');
      mounted(['--read-only'], (directory) => {
        assert.deepEqual(readdirSync(join(directory, 'v')), ['data']);
        assert.throws(() => writeFileSync(join(directory, 'v/data'), 'x', { flag: 'r+' }), /EROFS/);
        cli.must('fsck', device);
        cli.must('df', device);
      });
    });

    it('refuses what cannot be mounted, and leaves no mount', () => {
      const directory = join(cli.directory, 'refused');
      mkdirSync(directory);
      const nothing = join(cli.directory, 'nothing');
      writeFileSync(nothing, Buffer.alloc(16 << 20));
      cli.refused(/magic/, 'mount', nothing, directory);
      cli.refused(/\/no\/such\/device/, 'mount', '/no/such/device', directory);
      cli.refused(/no-such-directory/, 'mount', device, join(cli.directory, 'no-such-directory'));
      cli.refused(/source/, 'mount', device, source);
      assert.ok(!mountPoints().includes(directory));
      cli.refused(/no famfs pool is mounted/, 'umount', directory);
    });

    it('is not ended under somebody who uses it, unless lazily', () => {
      cli.must('creat', device, 'data', '2MiB');
      const directory = join(cli.directory, 'busy');
      mkdirSync(directory);
      cli.must('mount', device, directory);
      const inside = cli.runUnder(['sh', '-c', 'cd "$1" && shift && "$@"', 'sh', directory], 'umount', directory);
      assert.equal(inside.code, 1);
      assert.match(inside.err, /busy/);
      assert.ok(existsSync(join(directory, 'data')));
      cli.must('umount', '--lazy', directory);
      assert.ok(!existsSync(join(directory, 'data')));
    });
  });
});

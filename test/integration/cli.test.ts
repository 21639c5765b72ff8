/** The command line: what every command prints, how it ends, and how it reads its arguments. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { claimHeadStruct, recordOffset } from '../../src/famfs/format/claim-record.ts';
import type { Problem } from '../../src/famfs/log/problem.ts';
import { MIB } from '../../src/famfs/units.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { CommandLine } from '../support/cli.ts';
import { forgeClaim } from '../support/forged-claim.ts';

const logStart = 2 * MIB;

/** Changes one byte of a device. */
function flip(device: string, offset: number): void {
  const byte = readFileSync(device)[offset];
  const fd = openSync(device, 'r+');
  writeSync(fd, Buffer.from([byte ^ 1]), 0, 1, offset);
  closeSync(fd);
}

describe('command line', () => {
  let cli: CommandLine;
  before(() => {
    cli = new CommandLine();
  });

  it('answers in JSON, one document to a command', () => {
    const device = shmFile('pool');
    const made = cli.json('mkfs', device, '--simulate', '64MiB');
    assert.deepEqual({ ...made, uuid: '' }, { device, uuid: '', size: 64 * MIB, logSize: 8 * MIB, slots: 15420 });
    assert.equal(cli.json('mkdir', device, 'v', '-m', '0750', '-u', '7', '-g', '8')['mode'], 0o750);
    assert.equal(cli.json('creat', device, 'v/data', '3MiB')['size'], 3 * MIB);
    const source = join(cli.directory, 'source');
    writeFileSync(source, 'some bytes');
    assert.deepEqual(cli.json('cp', source, `${device}:v/copy`), { source, dest: `${device}:v/copy`, bytes: 10 });
    assert.deepEqual(cli.json<{ path: string }[]>('ls', device).map(({ path }) => path), ['v']);
    const inV = cli.json<{ path: string; size: number }[]>('ls', device, '/v');
    assert.deepEqual(inV.map(({ path, size }) => [path, size]), [['v/data', 3 * MIB], ['v/copy', 10]]);
    assert.deepEqual(cli.json('rm', device, 'v/data'), { removed: ['v/data'] });
    const df = cli.json('df', device);
    assert.deepEqual(
      [df['uuid'], df['totalBytes'], df['usedBytes'], df['quarantinedBytes'], df['slotsUsed']],
      [made['uuid'], 54 * MIB, 2 * MIB, 4 * MIB, 3],
    );
    const { entries } = cli.json<{ entries: { state: string; path: string }[] }>('log', device);
    assert.deepEqual(
      entries.map(({ state, path }) => [state, path]),
      [['live', 'v'], ['quarantined', 'v/data'], ['live', 'v/copy']],
    );
    const fsck = cli.json('fsck', device);
    assert.deepEqual([fsck['status'], fsck['problems']], [0, []]);
  });

  it('writes as the host that --node-id names, and else as one that nobody was before', () => {
    const device = cli.newPool();
    const holder = (epoch: number) => claimHeadStruct.decode(readFileSync(device), recordOffset(epoch)).holder;
    cli.must('mkdir', device, 'a', '--node-id', 'rack-7.host');
    assert.match(holder(1), /^rack-7\.host\/[0-9a-f]{16}$/);
    for (const name of ['b', 'c']) cli.must('mkdir', device, name);
    const hosts = [holder(2), holder(3)].map((text) => text.slice(0, text.lastIndexOf('/')));
    assert.match(hosts[0], /^cli-[0-9a-f]{16}/);
    assert.notEqual(hosts[0], hosts[1]);
    assert.equal(cli.run('mkdir', device, 'd', '--node-id', 'two words').code, 2);
  });

  it('prints tables for people', () => {
    const device = cli.newPool();
    cli.must('creat', device, 'data', '4MiB');
    assert.match(cli.must('ls', device), /-0644 +0 +0 +4194304 +data\n/);
    assert.match(cli.must('df', device), /54 MiB +4 MiB/);
    assert.match(cli.must('log', device), /live +file +4194304 +data\n/);
    assert.match(cli.must('fsck', device), /: clean\n$/);
  });

  it('reads sizes in bytes and in powers of 1024', () => {
    const device = cli.newPool();
    const sizes = [['5000', 5000], ['64KiB', 65536], ['1Mi', MIB], ['2m', 2 * MIB], ['1.5MiB', 1.5 * MIB]] as const;
    for (const [text, bytes] of sizes) {
      assert.equal(cli.json('creat', device, `size-${text}`, text)['size'], bytes);
    }
    for (const text of ['', 'abc', '1.0001', '4MB', '1e6', '0x10', '99999999999999999999', '1 MiB x']) {
      const { code, err } = cli.run('creat', device, 'never', text);
      assert.equal(code, 2, `"${text}" was taken for a size`);
      assert.ok(err.includes(`"${text}"`) || text === '', err);
    }
    assert.equal(cli.json<unknown[]>('ls', device).length, sizes.length);
  });

  it('ends with 2 when the arguments make no sense, and says so on standard error alone', () => {
    const wrong = [
      ['no-such-command'], ['mkfs'], ['mkfs', '--no-such-option', 'x'], ['creat', 'device', 'path'],
      ['ls', 'a', 'b', 'c'], ['mkfs', 'x', '--simulate'], ['creat', 'd', 'p', '1', '--mode', '9'],
      ['controller', '--pool', 'no-equals-sign'], ['node', '--endpoint', 'tcp://127.0.0.1:1'],
    ];
    for (const args of wrong) {
      const { code, out, err } = cli.run(...args);
      assert.equal(code, 2, `famfs-csi ${args.join(' ')} exits with ${code}: ${err}`);
      assert.equal(out, '');
      assert.match(err, /^error: /);
    }
  });

  it('removes forged claims when it is told that they are, and shows them before', () => {
    const device = shmFile('pool');
    cli.json('mkfs', device, '--simulate', '64MiB');
    assert.match(cli.run('reset-claim', device).out, /every record of the claim ring can be that of a writer/);
    forgeClaim(device, 2 ** 32 - 1, []).isUnchangedButForClaims();
    assert.match(cli.run('creat', device, 'f', '2MiB').err, /it was forged; "famfs-csi reset-claim" removes it/);
    const shown = cli.run('reset-claim', device);
    assert.deepEqual([shown.code, shown.out.split(':')[0]], [1, 'record 63, epoch 4294967295, of "forged/4294967295"']);
    assert.match(shown.err, /nothing was removed; say --forged/);
    assert.equal(cli.json<{ records: unknown[] }>('reset-claim', device, '--forged').records.length, 1);
    assert.equal(cli.json('creat', device, 'f', '2MiB')['size'], 2 * MIB);
    assert.match(cli.run('reset-claim', device, '--above', 'x').err, /is no epoch/);
  });

  it('lists every command in its help, and has help for each', () => {
    const { code, out, err } = cli.run('--help');
    assert.deepEqual([code, err], [0, '']);
    assert.deepEqual([...out.matchAll(/^ {2}([a-z][a-z-]*)(?: \[command\])? {2,}\S/gm)].map(([, name]) => name), [
      'mkfs', 'adopt', 'reset-claim', 'fsck', 'ls', 'df', 'log', 'mkdir', 'creat', 'cp', 'rm', 'mount', 'umount',
      'controller', 'node', 'fused', 'evict', 'orphans', 'uninstall', 'all', 'help',
    ]);
    const help = cli.run('help', 'mkfs');
    assert.match(help.out, /^Usage: famfs-csi mkfs /);
    assert.deepEqual(help, cli.run('mkfs', '--help'));
  });

  it('keeps the progress bar out of the output, also on a terminal', () => {
    const device = cli.newPool();
    const out = join(cli.directory, 'mkfs.json');
    const command = `${program} mkfs ${device} --force --json --state-dir ${cli.stateDirectory} > ${out}`;
    assert.match(cli.onTerminal(command), /clearing.*100 %/);
    assert.equal((JSON.parse(readFileSync(out, 'utf8')) as { device: string }).device, device);
  });

  describe('fsck', () => {
    it('ends with 1 on damage, naming the entry', () => {
      const device = cli.newPool();
      for (const name of ['a', 'b', 'c']) cli.must('mkdir', device, name);
      flip(device, logStart + 48 + 544 + 60);
      const { code, out } = cli.run('fsck', device, '--json');
      assert.equal(code, 1);
      const { problems } = JSON.parse(out) as { problems: { place: string; index: number }[] };
      assert.deepEqual([problems[0].place, problems[0].index], ['log entry', 1]);
      assert.match(cli.run('fsck', device).out, /DAMAGED\n$/);
    });

    it('ends with 1 on a device without a famfs, and where superblock or log header are damaged', () => {
      const empty = shmFile('empty');
      writeFileSync(empty, '');
      truncateSync(empty, 64 * MIB);
      assert.equal(cli.run('fsck', empty).code, 1);
      for (const offset of [3, 50, logStart, logStart + 9]) {
        const device = cli.newPool();
        flip(device, offset);
        assert.equal(cli.run('fsck', device).code, 1, `byte ${offset} flipped`);
      }
    });

    it('ends with 2 when it could not look', () => {
      for (const place of ['/no/such/device', '/dev/null', cli.directory]) {
        const { code, out } = cli.run('fsck', place, '--json');
        assert.equal(code, 2, place);
        assert.equal((JSON.parse(out) as { status: number }).status, 2);
      }
    });

    it('finds with --memory which parts of files cannot be read', () => {
      // Where a file system is full, memory that was never touched cannot be had.
      const small = tempDir('small');
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', small]);
      try {
        const device = join(small, 'pool');
        cli.must('mkfs', device, '--simulate', '64MiB');
        const source = join(cli.directory, 'mebibyte');
        writeFileSync(source, Buffer.alloc(MIB, 1));
        cli.must('cp', source, `${device}:whole`);
        cli.must('creat', device, 'broken', '4MiB');
        const fill = () => execFileSync('sh', ['-c', `cat /dev/zero > ${small}/filler || true`], { stdio: 'ignore' });
        const check = () => cli.run('fsck', device, '--memory', '--json');
        fill();
        assert.equal(cli.run('fsck', device).code, 0);
        const { problems: [{ index, path, reason }] } = JSON.parse(check().out) as { problems: Problem[] };
        assert.deepEqual([index, path], [1, 'broken']);
        const [, at] = /^4194304 bytes at 0 of the file, at (\d+) of the device, cannot be read on this host$/.exec(reason)!;
        rmSync(join(small, 'filler'));
        const fd = openSync(device, 'r+');
        writeSync(fd, Buffer.alloc(MIB, 2), 0, MIB, Number(at) + MIB);
        closeSync(fd);
        fill();
        const { code, out } = check();
        assert.equal(code, 1);
        const { problems } = JSON.parse(out) as { problems: Problem[] };
        assert.deepEqual(problems.map(({ place, reason }) => `${place}: ${/^\d+ bytes at \d+/.exec(reason)![0]}`),
          ['memory: 1048576 bytes at 0', 'memory: 2097152 bytes at 2097152']);
        rmSync(join(small, 'filler'));
        assert.equal(check().code, 0);
      } finally {
        execFileSync('umount', ['-l', small]);
      }
    });

    it('changes nothing', () => {
      const device = cli.newPool();
      cli.must('creat', device, 'data', '2MiB');
      const before = readFileSync(device);
      cli.must('fsck', device);
      assert.ok(before.equals(readFileSync(device)));
    });
  });
});

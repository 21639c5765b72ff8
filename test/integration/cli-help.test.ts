/** What the command line tells of itself, and of a log's entries. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EntryType } from '../../src/famfs/format/state-word.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { root } from '../harness/paths.ts';
import { CommandLine } from '../support/cli.ts';
import { forge } from '../support/forged.ts';

describe('the command line\'s help', () => {
  let cli: CommandLine;
  before(() => {
    cli = new CommandLine();
  });
  const optionsOf = (command: string) => [...cli.must(command, '--help').matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option);

  it('tells the version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal(cli.must('--version'), `${version}\n`);
  });

  it('shows modes in octal and sizes with units', () => {
    assert.match(cli.runUnder([], 'mkdir', '--help').out, /permissions \(default: 0755\)/);
    assert.match(cli.runUnder([], 'creat', '--help').out, /permissions \(default: 0644\)/);
    assert.match(cli.must('controller', '--help').replaceAll(/\s+/g, ' '), /as fast as it goes \(default: 1GiB\)/);
  });

  it('shows of a role the options that it uses', () => {
    const [controller, node, fused] = ['controller', 'node', 'fused'].map(optionsOf);
    for (const option of ['--scrub-rate', '--sidecar-endpoint', '--pool']) assert.deepEqual([controller!.includes(option), node!.includes(option)], [true, false], option);
    for (const option of ['--registration-dir', '--fused-endpoint']) assert.deepEqual([controller!.includes(option), node!.includes(option)], [false, true], option);
    assert.deepEqual(['--pools-file', '--fused-endpoint', '--endpoint', '--scrub-rate'].map((option) => fused!.includes(option)), [true, true, false, false]);
  });

  it('has a log command that tells the place of each entry and the device that one adds apart', () => {
    const device = cli.newPool();
    const pool = Pool.open(sourceOf(device));
    const uuid = '0a1b2c3d-0000-4000-8000-000000000001';
    forge(pool, 0, EntryType.AddDaxdev, { kind: 'daxdev', index: 3, size: 4096, uuid });
    pool.close();
    const { entries } = cli.json<{ entries: Record<string, unknown>[] }>('log', device);
    const { index, kind, deviceIndex, size } = entries[0]!;
    assert.deepEqual({ index, kind, deviceIndex, size, uuid: entries[0]!['uuid'] }, { index: 0, kind: 'daxdev', deviceIndex: 3, size: 4096, uuid });
  });
});

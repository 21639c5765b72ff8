import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { requirePools, roleCommand, type RoleOptions } from '../../../src/cli/role-options.ts';
import { tempDir } from '../../harness/temp.ts';

function parse(...args: string[]): RoleOptions {
  const command = roleCommand('role', []).exitOverride().configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: 'user' }).opts<RoleOptions>();
}

describe('options of the roles', () => {
  it('are read, with pools in their order', () => {
    const options = parse('--pool', 'fast=/dev/dax0.0', '--pool', 'sim=/tmp/a=b', '--endpoint', 'unix:///run/x.sock',
      '--fused-endpoint', 'unix:/run/y.sock', '--node-id', 'n1', '--driver-name', 'famfs.example.org');
    assert.deepEqual(options.pool, [
      { name: 'fast', device: '/dev/dax0.0', format: 'never' }, { name: 'sim', device: '/tmp/a=b', format: 'never' }]);
    assert.deepEqual([options.endpoint, options.fusedEndpoint, options.nodeId], ['/run/x.sock', '/run/y.sock', 'n1']);
  });

  it('ask for a pool where one is needed', () => {
    assert.throws(() => requirePools(parse()), /--pool NAME=DEVICE/);
  });

  it('take the pools from a file', () => {
    const file = join(tempDir('pools'), 'pools.json');
    fs.writeFileSync(file, JSON.stringify({ pools: [{ name: 'p0', device: '/dev/dax0.0', format: 'ifEmpty', logSize: '8MiB' }] }));
    assert.deepEqual(requirePools(parse('--pools-file', file)), [{ name: 'p0', device: '/dev/dax0.0', format: 'ifEmpty', logSize: 2 ** 23 }]);
    fs.writeFileSync(file, '{"pools": []}');
    assert.throws(() => requirePools(parse('--pools-file', file)), /names no pool/);
  });

  for (const args of [
    ['--pool', 'a=/x', '--pools-file', '/f'], ['--kubernetes', 'Not.One'], ['--members-namespace', 'Not.One'], ['--http-port', '65536'], ['--http-port', 'x'],
    ['--pool', 'fast'], ['--pool', '=/dev/dax0.0'], ['--pool', 'Fast=/dev/dax0.0'], ['--pool', 'fast=dax0.0'],
    ['--pool', 'a=/x', '--pool', 'a=/y'], ['--pool', 'a=/x', '--pool', 'b=/x'],
    ['--endpoint', 'tcp://127.0.0.1:1'], ['--endpoint', 'relative.sock'], ['--node-id', ''], ['--node-id', 'a b'],
    ['--driver-name', 'under_score'], ['--driver-name', 'x'.repeat(64)], ['--log-level', 'loud'], ['--no-such-option'],
  ]) {
    it(`refuse ${args.join(' ')}`, () => assert.throws(() => parse(...args), CommanderError));
  }
});

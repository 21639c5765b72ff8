import assert from 'node:assert/strict';
import { parsePools, readPoolsFile } from '../../../src/csi/pool-config.ts';

describe('pools file', () => {
  it('names pools, of which nothing is formatted unless it says so', () => {
    const pools = [{ name: 'p0', device: '/dev/dax0.0' }, { name: 'p1', device: '/mnt/sim', format: 'ifEmpty', logSize: '16MiB' }];
    assert.deepEqual(parsePools(JSON.stringify({ pools })), [
      { name: 'p0', device: '/dev/dax0.0', format: 'never' },
      { name: 'p1', device: '/mnt/sim', format: 'ifEmpty', logSize: 2 ** 24 },
    ]);
  });

  it('may say which file system a pool is', () => {
    const uuid = '01234567-89ab-4cde-8f01-23456789abcd';
    assert.deepEqual(parsePools(JSON.stringify({ pools: [{ name: 'p0', device: '/x', uuid }] })), [{ name: 'p0', device: '/x', uuid, format: 'never' }]);
    const parse = (...pools: object[]) => () => parsePools(JSON.stringify({ pools }));
    assert.throws(parse({ name: 'p', device: '/x', uuid: 'A' }), /pools\[0\]\.uuid "A" is no UUID/);
    assert.throws(parse({ name: 'p', device: '/x', uuid, format: 'ifEmpty' }), /has a uuid, so it is formatted already/);
    assert.throws(parse({ name: 'p', device: '/x', uuid }, { name: 'q', device: '/y', uuid }), /pools\[1\] has .* UUID of pool p/);
  });

  for (const [what, pools, message] of [
    ['no list', 'p0', /"pools" is no list/], ['a bad name', [{ name: 'P', device: '/x' }], /pools\[0\]\.name "P"/],
    ['a relative device', [{ name: 'p', device: 'x' }], /pools\[0\]\.device "x"/],
    ['an unknown format', [{ name: 'p', device: '/x', format: 'always' }], /"always" is neither/],
    ['a bad log size', [{ name: 'p', device: '/x', logSize: 'big' }], /"big" is no size/],
    ['an unknown key', [{ name: 'p', device: '/x', path: 1 }], /unknown key "path"/],
    ['a device twice', [{ name: 'p', device: '/x' }, { name: 'q', device: '/x' }], /of pool p/],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => parsePools(JSON.stringify({ pools })), message));
  }

  it('says which file it was', () => assert.throws(() => readPoolsFile('/no/such/file'), /pools file \/no\/such\/file/));
});

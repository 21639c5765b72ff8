import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatVolumeId, parseVolumeId } from '../../../src/csi/volume-id.ts';

const pool = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0';

describe('volume handles', () => {
  for (const directory of ['pvc-1', 'data/2026/run 7', 'Größe', '..hidden', 'a.b']) {
    it(`names ${directory}`, () => {
      assert.deepEqual(parseVolumeId(formatVolumeId({ pool, directory })), { pool, directory });
    });
  }

  for (const [what, handle] of [
    ['empty', ''],
    ['no directory', pool],
    ['the pool\'s root', `${pool}/`],
    ['no UUID', 'pool/pvc-1'],
    ['upper-case UUID', `${pool.toUpperCase()}/pvc-1`],
    ['absolute', `${pool}//etc`],
    ['parent', `${pool}/..`],
    ['parent in the middle', `${pool}/a/../../etc`],
    ['itself', `${pool}/a/.`],
    ['empty component', `${pool}/a//b`],
    ['trailing slash', `${pool}/a/`],
    ['NUL', `${pool}/a\0b`],
    ['newline', `${pool}/a\nb`],
    ['lone surrogate', `${pool}/\ud800`],
    ['too long', `${pool}/${'x'.repeat(92)}`],
    ['too long in bytes', `${pool}/${'ü'.repeat(46)}`],
  ] as const) {
    it(`refuses: ${what}`, () => assert.equal(parseVolumeId(handle), undefined));
  }

  it('never lets a path out of the pool', () => {
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => {
      const id = parseVolumeId(`${pool}/${text}`);
      assert.ok(id === undefined || !id.directory.split('/').some((part) => ['', '.', '..'].includes(part)));
    }));
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { directoryHandle, formatVolumeId, parseVolumeId } from '../../../src/csi/volume-id.ts';

const pool = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0';

describe('volume handles', () => {
  for (const directory of ['pvc-1', 'data/2026/run 7', 'Größe', '..hidden', 'a.b']) {
    it(`names ${directory}`, () => {
      assert.deepEqual(parseVolumeId(formatVolumeId({ pool, directory })), { pool, directory });
    });
  }

  for (const suffix of ['a', 'team-b', 'B_2.ro', 'a..b', '1']) {
    it(`takes ${suffix} for a suffix, which is no part of the directory`, () => {
      const id = { pool, directory: 'data/run 7', suffix };
      const handle = `${pool}/data/run 7//${suffix}`;
      assert.equal(formatVolumeId(id), handle);
      assert.deepEqual(parseVolumeId(handle), id);
      assert.equal(directoryHandle(handle), `${pool}/data/run 7`);
      assert.equal(directoryHandle(directoryHandle(handle)), `${pool}/data/run 7`);
    });
  }

  it('leaves what is no handle as it is', () => {
    for (const handle of ['', 'nonsense', `${pool}/a//b//c`, `${pool}/a//`]) assert.equal(directoryHandle(handle), handle);
  });

  for (const [what, handle] of [
    ['empty suffix', `${pool}/a//`],
    ['two suffixes', `${pool}/a//b//c`],
    ['three slashes', `${pool}/a///b`],
    ['slash in the suffix', `${pool}/a//b/c`],
    ['slash behind the suffix', `${pool}/a//b/`],
    ['parent as suffix', `${pool}/a//..`],
    ['parent behind a suffix', `${pool}/a//b/../..`],
    ['parent before a suffix', `${pool}/..//b`],
    ['itself as suffix', `${pool}/a//.`],
    ['hidden suffix', `${pool}/a//.b`],
    ['suffix like an option', `${pool}/a//-b`],
    ['space in the suffix', `${pool}/a//b c`],
    ['NUL in the suffix', `${pool}/a//b\0`],
    ['newline behind the suffix', `${pool}/a//b\n`],
    ['other letters in the suffix', `${pool}/a//größe`],
    ['suffix of the root', `${pool}///b`],
    ['too long with its suffix', `${pool}/a//${'x'.repeat(89)}`],
    ['empty', ''],
    ['no directory', pool],
    ['the pool\'s root', `${pool}/`],
    ['no UUID', 'pool/pvc-1'],
    ['upper-case UUID', `${pool.toUpperCase()}/pvc-1`],
    ['absolute', `${pool}//etc`],
    ['parent', `${pool}/..`],
    ['parent in the middle', `${pool}/a/../../etc`],
    ['itself', `${pool}/a/.`],
    ['empty component', `${pool}/a//b/c`],
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

  it('reads a handle in one way only', () => {
    const path = fc.array(fc.constantFrom('a', '/', '//', '.', '..', '-', 'ü'), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(fc.property(path, (text) => {
      const id = parseVolumeId(`${pool}/${text}`);
      assert.ok(id === undefined || formatVolumeId(id) === `${pool}/${text}`);
    }));
  });
});

import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { checkVolumeName, directoryName } from '../../../../src/controller/layout/volume-name.ts';

describe('volume names', () => {
  for (const name of ['pvc-0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0', 'a', 'a.b', '-x', 'x'.repeat(48)]) {
    it(`keeps ${name}`, () => assert.equal(directoryName(name), name));
  }

  for (const name of ['.hidden', '..', 'Upper', 'a/b', 'a b', '../../etc', 'ü', 'x'.repeat(49), '.meta', '名前']) {
    it(`shortens ${JSON.stringify(name)} to something readable and its own`, () => {
      assert.match(directoryName(name), /^[a-z0-9][a-z0-9-]*-[0-9a-f]{16}$/);
      assert.ok(directoryName(name).length <= 48);
    });
  }

  it('gives a directory name for whatever text, and different ones for different texts', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      assert.match(directoryName(a), /^[a-z0-9-][a-z0-9.-]{0,47}$/);
      assert.equal(directoryName(a) === directoryName(b), a === b);
    }));
  });

  for (const [what, name] of [
    ['none', ''], ['one with a newline', 'a\nb'], ['one with NUL', 'a\0b'], ['one with 129 bytes', 'x'.repeat(129)], ['half a character', '\ud800'],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => checkVolumeName(name), { code: status.INVALID_ARGUMENT }));
  }

  it('accepts 128 bytes', () => checkVolumeName('x'.repeat(128)));
});

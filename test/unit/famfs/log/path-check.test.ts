import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hashName } from '../../../../src/famfs/index/index-store.ts';
import { PathCheck } from '../../../../src/famfs/log/path-check.ts';
import { readPath } from '../../../oracle/entry.ts';

const FIELD = 80;

/** Pieces that paths, and what is no path, are made of. */
const piece = fc.oneof(
  fc.constantFrom('/', '//', '.', '..', '...', 'a', 'data', 'abcd', '~'),
  fc.constantFrom('ä', '日本', '😀', '\u0085', '\u009f', '\u00a0', '\u007f', '\u001f', '\ufeff'),
  fc.string({ maxLength: 12 }),
).map((text) => Buffer.from(text, 'utf8'));
const noise = fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes));
const raw = fc.oneof({ weight: 9, arbitrary: piece }, { weight: 1, arbitrary: noise });

/** A field as a replay has it: in the middle of aligned memory, something else behind it. */
const field = fc.tuple(fc.array(raw, { maxLength: 14 }), fc.integer({ min: 0, max: 3 })).map(([pieces, shift]) => {
  const memory = new ArrayBuffer(160 + 8);
  const bytes = Buffer.from(memory);
  bytes.fill(0x62);
  const path = Buffer.concat(pieces).subarray(0, FIELD);
  const at = 16 + 4 * shift;
  bytes.fill(0, at, at + FIELD);
  path.copy(bytes, at);
  return { bytes, words: new Uint32Array(memory), at };
});

describe('PathCheck', () => {
  it('judges any 80 bytes as the oracle does, and finds the last component', () => {
    fc.assert(fc.property(field, fc.integer(), ({ bytes, words, at }, seed) => {
      const parts = readPath(bytes.subarray(at, at + FIELD));
      for (const path of [new PathCheck(), new PathCheck(words)]) {
        assert.equal(path.check(bytes, at, seed) === undefined, parts !== undefined, path.problem);
        if (parts === undefined) continue;
        const whole = parts.join('/');
        assert.equal(path.length, whole.length);
        assert.equal(path.nameStart, whole.length - parts.at(-1)!.length);
        assert.equal(path.nameHash, hashName(bytes, at + path.nameStart, at + path.length, seed));
      }
    }), { numRuns: 3000 });
  });

  it('gives the same when it starts behind a directory that was judged before', () => {
    fc.assert(fc.property(field, fc.nat(), ({ bytes, words, at }, pick) => {
      const parts = readPath(bytes.subarray(at, at + FIELD));
      if (parts === undefined) return;
      const known = parts.slice(0, pick % parts.length).join('/');
      const whole = new PathCheck(words);
      const rest = new PathCheck(words);
      assert.equal(whole.check(bytes, at, 7), undefined);
      assert.equal(rest.check(bytes, at, 7, known === '' ? 0 : known.length + 1), undefined);
      assert.deepEqual([rest.length, rest.nameStart, rest.nameHash], [whole.length, whole.nameStart, whole.nameHash]);
    }), { numRuns: 2000 });
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RunSet } from '../../../../src/famfs/alloc/run-set.ts';

const run = fc.tuple(fc.nat(60), fc.nat(12)).map(([start, length]) => ({ start, end: start + length }));

describe('a set of runs', () => {
  it('holds what a set of single bytes holds, in order, whatever is added and removed', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), run), { maxLength: 30 }), run, (steps, asked) => {
      const set = new RunSet();
      const bytes = new Set<number>();
      const each = ({ start, end }: { start: number; end: number }) => Array.from({ length: end - start }, (_, k) => start + k);
      for (const [adds, one] of steps) {
        if (adds) set.add(one);
        else set.remove(one);
        for (const byte of each(one)) if (adds) bytes.add(byte); else bytes.delete(byte);
      }
      assert.deepEqual(set.runs.flatMap(each), [...bytes].sort((a, b) => a - b));
      set.runs.reduce((end, { start }) => (assert.ok(start > end), start), -1);
      assert.equal(set.bytes, bytes.size);
      assert.deepEqual(set.missing(asked).flatMap(each), each(asked).filter((byte) => !bytes.has(byte)));
    }));
  });
});

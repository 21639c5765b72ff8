import assert from 'node:assert/strict';
import fc from 'fast-check';
import { joined, sumOf } from '../../../../src/famfs/alloc/free-runs.ts';
import { RunSet } from '../../../../src/famfs/alloc/run-set.ts';

const run = fc.tuple(fc.nat(60), fc.nat(12)).map(([start, length]) => ({ start, end: start + length }));

describe('a set of runs', () => {
  it('holds what a set of single bytes holds, in order, whatever is added and removed', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'keep'), fc.array(run, { maxLength: 4 })), { maxLength: 20 }), fc.array(run, { maxLength: 3 }), (steps, asked) => {
      const set = new RunSet();
      const bytes = new Set<number>();
      const each = ({ start, end }: { start: number; end: number }) => Array.from({ length: end - start }, (_, k) => start + k);
      for (const [step, some] of steps) {
        const meant = new Set(some.flatMap(each));
        if (step === 'keep') set.keep(joined(some));
        else set[step](some);
        if (step === 'add') for (const byte of meant) bytes.add(byte);
        else for (const byte of bytes) if (meant.has(byte) === (step === 'remove')) bytes.delete(byte);
      }
      assert.deepEqual(set.runs.flatMap(each), [...bytes].sort((a, b) => a - b));
      set.runs.reduce((end, { start }) => (assert.ok(start > end), start), -1);
      assert.equal(set.bytes, bytes.size);
      const missing = [...new Set(asked.flatMap(each))].filter((byte) => !bytes.has(byte)).sort((a, b) => a - b);
      assert.deepEqual(set.missing(asked).flatMap(each), missing);
    }));
  });

  it('changes by very many runs in one pass', () => {
    const count = 200_000;
    const many = Array.from({ length: count }, (_, k) => ({ start: 3 * k, end: 3 * k + 2 }));
    const set = new RunSet();
    set.add(many);
    assert.deepEqual([set.runs.length, set.bytes], [count, 2 * count]);
    assert.equal(sumOf(set.missing([{ start: 0, end: 3 * count }])), count);
    set.keep(many.slice(count / 2));
    set.remove(many.slice(0, count - 1));
    assert.deepEqual(set.runs, many.slice(count - 1));
    set.add(many);
    set.add([{ start: 0, end: 3 * count }]);
    assert.deepEqual(set.runs, [{ start: 0, end: 3 * count }]);
  });
});

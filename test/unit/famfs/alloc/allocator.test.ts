import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Allocator } from '../../../../src/famfs/alloc/allocator.ts';
import { type Run, sumOf } from '../../../../src/famfs/alloc/free-runs.ts';

const UNIT = 4096;
const EXTENTS_MAX = 16;

/** Free runs in ascending order with gaps between them, in units. */
const gapAndLength = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 12 }));
const freeRuns = fc.array(gapAndLength, { maxLength: 40 }).map((pairs) => {
  const runs: Run[] = [];
  let at = 0;
  for (const [gap, length] of pairs) {
    runs.push({ start: (at + gap) * UNIT, end: (at + gap + length) * UNIT });
    at += gap + length;
  }
  return runs;
});

const bySize = (runs: readonly Run[]) => runs.map(({ start, end }) => end - start).sort((a, b) => b - a);
const inside = (part: Run, whole: readonly Run[]) => whole.some(({ start, end }) => start <= part.start && part.end <= end);
const meet = (a: Run, b: Run) => a.start < b.end && b.start < a.end;

/** Free runs less what was taken. */
function without(runs: readonly Run[], taken: readonly Run[]): Run[] {
  let left = [...runs];
  for (const hole of taken) {
    left = left.flatMap((run) => {
      if (!meet(run, hole)) return [run];
      const parts = [{ start: run.start, end: hole.start }, { start: hole.end, end: run.end }];
      return parts.filter(({ start, end }) => start < end);
    });
  }
  return left;
}

describe('Allocator', () => {
  it('gives whole units of free memory, each once, in at most 16 extents, best fit first', () => {
    fc.assert(fc.property(freeRuns, fc.array(fc.integer({ min: 1, max: 60 * UNIT }), { maxLength: 30 }), (runs, sizes) => {
      const allocator = new Allocator(UNIT, runs);
      const taken: Run[] = [];
      for (const size of sizes) {
        const free = without(runs, taken);
        const lengths = bySize(free);
        assert.equal(allocator.free, sumOf(free));
        assert.equal(allocator.largestContiguous, lengths[0] ?? 0);
        const largest = lengths.slice(0, EXTENTS_MAX).reduce((sum, length) => sum + length, 0);
        assert.equal(allocator.largestAllocatable, largest);
        const needed = Math.ceil(size / UNIT) * UNIT;
        const extents = allocator.allocate(size);
        assert.equal(extents === undefined, needed > largest);
        if (extents === undefined) continue;
        assert.equal(sumOf(extents), needed);
        assert(extents.length <= EXTENTS_MAX);
        assert(extents.every((extent) => extent.start < extent.end && extent.start % UNIT === 0 && inside(extent, free)));
        assert(extents.every((one, k) => extents.every((other, j) => j === k || !meet(one, other))));
        const fitting = lengths.filter((length) => length >= needed);
        if (fitting.length > 0) {
          assert.equal(extents.length, 1);
          const home = free.find((run) => inside(extents[0], [run]))!;
          assert.equal(home.end - home.start, fitting.at(-1), 'not the smallest run that is large enough');
        }
        taken.push(...extents);
      }
    }));
  });

  it('takes back what was not used, as if it had never given it', () => {
    fc.assert(fc.property(freeRuns, fc.array(fc.integer({ min: 1, max: 30 * UNIT }), { maxLength: 10 }), (runs, sizes) => {
      const allocator = new Allocator(UNIT, runs);
      const before = [allocator.free, allocator.largestContiguous, allocator.largestAllocatable];
      const given = sizes.flatMap((size) => allocator.allocate(size) ?? []);
      allocator.restore(given);
      assert.deepEqual([allocator.free, allocator.largestContiguous, allocator.largestAllocatable], before);
    }));
  });

  it('gives nothing of a run that is no whole unit', () => {
    fc.assert(fc.property(fc.nat(5 * UNIT), fc.nat(5 * UNIT), (start, length) => {
      const whole = Math.max(0, Math.floor((start + length) / UNIT) - Math.ceil(start / UNIT)) * UNIT;
      assert.equal(new Allocator(UNIT, [{ start, end: start + length }]).free, whole);
    }));
  });
});

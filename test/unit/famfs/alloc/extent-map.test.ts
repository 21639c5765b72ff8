import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ExtentMap, type OwnedRange } from '../../../../src/famfs/alloc/extent-map.ts';
import { freeBytes, freeRuns, sumOf } from '../../../../src/famfs/alloc/free-runs.ts';
import { Random } from '../../../fuzz/random.ts';

/** The same as an array in which every range is looked at. */
class Naive {
  ranges: OwnedRange[] = [];

  overlapping(start: number, end: number): OwnedRange | undefined {
    return this.ranges.filter((range) => range.start < end && start < range.end).sort((a, b) => a.start - b.start)[0];
  }

  add(start: number, end: number, owner: number): void {
    this.ranges.push({ start, end, owner });
  }

  remove(start: number, owner: number): void {
    this.ranges = this.ranges.filter((range) => range.start !== start || range.owner !== owner);
  }

  sorted(): OwnedRange[] {
    return [...this.ranges].sort((a, b) => a.start - b.start);
  }
}

/** Does to both the same, and asks both: adds where nothing is, else removes or misses. */
function step(map: ExtentMap, naive: Naive, start: number, length: number, owner: number, removes: boolean): void {
  const end = start + length;
  const met = map.overlapping(start, end);
  assert.deepEqual(met, naive.overlapping(start, end));
  if (removes) {
    const target = met ?? { start, owner };
    const who = owner % 5 === 0 ? owner : target.owner; // at times not the owner
    map.remove(target.start, who);
    naive.remove(target.start, who);
  } else if (met === undefined) {
    map.add(start, end, owner);
    naive.add(start, end, owner);
  }
}

function same(map: ExtentMap, naive: Naive): void {
  const within = (from: number, to: number) =>
    naive.ranges.reduce((sum, { start, end }) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)), 0);
  const ranges = naive.sorted();
  assert.deepEqual([...map.ranges()], ranges);
  assert.equal(map.bytes, ranges.reduce((sum, { start, end }) => sum + end - start, 0));
  assert.equal(map.end, ranges.at(-1)?.end ?? 0);
  for (const [from, to] of [[0, Infinity], [3, 200], [150, 9000], [7000, 7002]]) {
    assert.equal(map.bytesWithin(from, to), within(from, to));
  }
}

describe('ExtentMap', () => {
  it('does what an array of ranges does', () => {
    const operation = fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 20 }), fc.nat(40), fc.boolean());
    fc.assert(fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const map = new ExtentMap();
      const naive = new Naive();
      for (const [start, length, owner, removes] of operations) {
        step(map, naive, start, length, owner, removes);
        same(map, naive);
      }
    }), { numRuns: 200 });
  });

  it('does so with more ranges than a block holds, and back to none', () => {
    fc.assert(fc.property(fc.nat(), (seed) => {
      const random = new Random(seed);
      const map = new ExtentMap();
      const naive = new Naive();
      for (let k = 0; k < 2500; k++) {
        step(map, naive, random.below(20_000), 1 + random.below(4), random.word(), random.chance(8));
      }
      same(map, naive);
      for (const { start, owner } of naive.sorted()) {
        map.remove(start, owner);
        naive.remove(start, owner);
        if (random.chance(100)) same(map, naive);
      }
      same(map, naive);
      assert.equal(map.overlapping(0, Infinity), undefined);
    }), { numRuns: 4 });
  });

  it('tells the free runs between its ranges, those of others and some that are held', () => {
    const range = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 9 }))
      .map(([start, length]) => ({ start, end: start + length }));
    const ranges = fc.array(range);
    fc.assert(fc.property(ranges, ranges, ranges, fc.nat(30), fc.nat(40), (owned, others, held, start, length) => {
      const [map, other] = [new ExtentMap(), new ExtentMap()];
      for (const { start: from, end: to } of owned) if (map.overlapping(from, to) === undefined) map.add(from, to, 1);
      for (const { start: from, end: to } of others) if (other.overlapping(from, to) === undefined) other.add(from, to, 1);
      const taken = [...map.ranges(), ...other.ranges(), ...held];
      const area = { start, end: start + length };
      assert.equal(freeBytes([map], other, [area]), sumOf(freeRuns([map, other], [], [area])));
      const free = freeRuns([map, other], held, [area]);
      for (let at = start; at < start + length; at++) {
        const isTaken = taken.some((one) => one.start <= at && at < one.end);
        assert.equal(free.some((one) => one.start <= at && at < one.end), !isTaken, `at ${at}`);
      }
      free.forEach((run, k) => {
        assert(run.start < run.end && run.start >= start && run.end <= start + length);
        assert(k === 0 || free[k - 1].end < run.start);
      });
    }));
  });
});

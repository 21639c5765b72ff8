import assert from 'node:assert/strict';
import { Random } from '../../fuzz/random.ts';
import { type Allowance, courseOf, hasGrown } from '../../soak/flatness.ts';

const ALLOWED: Allowance = { absolute: 10, relative: 0.1 };

/** A heap of about 100 that is collected every seventh sample, with noise and now and then a peak. */
function heap(seed: number, leak: (sample: number, samples: number) => number, samples = 60): number[] {
  const random = new Random(seed);
  return Array.from({ length: samples }, (_, k) =>
    100 + (k % 7) + random.below(5) + (random.chance(20) ? 80 : 0) + leak(k, samples));
}

const seeds = Array.from({ length: 200 }, (_, k) => k);
const grown = (leak: (sample: number, samples: number) => number, samples?: number) =>
  seeds.filter((seed) => hasGrown(courseOf(heap(seed, leak, samples)), ALLOWED)).length;

describe('flatness of a figure', () => {
  it('is seen in a heap that only saws, peaks now and then, and warms up', () => {
    assert.equal(grown(() => 0), 0);
    assert.equal(grown((k, samples) => (k < samples / 5 ? -60 + k : 0)), 0);
    assert.equal(grown(() => 0, 40), 0);
  });

  it('is seen in one that shrinks, or grows by less than is allowed', () => {
    assert.equal(grown((k) => -k), 0);
    assert.equal(grown((k, samples) => (5 * k) / samples), 0);
  });

  it('is missed by a steady leak, and by one that begins late', () => {
    assert.equal(grown((k, samples) => (40 * k) / samples), seeds.length);
    assert.equal(grown((k, samples) => Math.max(0, 100 * (k / samples - 0.5))), seeds.length);
  });

  it('is missed by a figure that jumps and stays there', () => {
    assert.equal(grown((k, samples) => (k < samples / 2 ? 0 : 30)), seeds.length);
  });

  it('is judged by the larger of what is allowed absolutely and relatively', () => {
    assert.equal(hasGrown({ first: 1000, last: 1090 }, ALLOWED), false);
    assert.equal(hasGrown({ first: 1000, last: 1101 }, ALLOWED), true);
    assert.equal(hasGrown({ first: 0, last: 10 }, ALLOWED), false);
    assert.equal(hasGrown({ first: 0, last: 11 }, ALLOWED), true);
  });

  it('is not claimed of too few samples', () => {
    assert.throws(() => courseOf(heap(1, () => 0, 20)), /too few to judge/);
  });
});

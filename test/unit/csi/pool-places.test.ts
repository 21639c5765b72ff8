import assert from 'node:assert/strict';
import fc from 'fast-check';
import { deviceOfPool, type NamedPool } from '../../../src/csi/pool-places.ts';

const places = (pools: readonly NamedPool[], found: Record<string, string>) =>
  Object.fromEntries(pools.map((pool) => [pool.name, deviceOfPool(pool, pools, new Map(Object.entries(found)))]));

describe('the device of a pool', () => {
  const [p0, p1, p2] = ['p0', 'p1', 'p2'].map((name, k) => ({ name, device: `/d${k}` }));
  const [a, b, c] = [{ ...p0, uuid: 'A' }, { ...p1, uuid: 'B' }, { ...p2, uuid: 'C' }];

  it('is the one that is configured, as long as nothing else is known', () => {
    assert.deepEqual(places([p0, p1], {}), { p0: '/d0', p1: '/d1' });
    assert.deepEqual(places([p0, p1], { '/d0': 'B', '/d1': 'A' }), { p0: '/d0', p1: '/d1' });
  });

  it('is where its UUID is found', () => {
    assert.deepEqual(places([a, b], { '/d0': 'A', '/d1': 'B' }), { p0: '/d0', p1: '/d1' });
    assert.deepEqual(places([a, b], { '/d0': 'B', '/d1': 'A' }), { p0: '/d1', p1: '/d0' });
    assert.deepEqual(places([a, b, c], { '/d0': 'C', '/d1': 'A', '/d2': 'B' }), { p0: '/d1', p1: '/d2', p2: '/d0' });
  });

  it('is what is left, for a pool without UUID whose device another one is on', () => {
    assert.deepEqual(places([a, p1], { '/d1': 'A' }), { p0: '/d1', p1: '/d0' });
    assert.deepEqual(places([a, b, p2], { '/d2': 'A', '/d0': 'B' }), { p0: '/d2', p1: '/d0', p2: '/d1' });
  });

  it('is never that of another pool that is found, where its own is missing', () => {
    assert.deepEqual(places([a, b], { '/d0': 'B' }), { p0: '/d1', p1: '/d0' });
  });

  it('is the configured one where two have its UUID', () => {
    assert.deepEqual(places([a, p1], { '/d0': 'A', '/d1': 'A' }), { p0: '/d0', p1: '/d1' });
  });

  it('is one for each pool, whatever is found where', () => {
    const devices = ['/d0', '/d1', '/d2', '/d3'];
    const uuids = fc.shuffledSubarray(['A', 'B', 'C', 'D', 'other'], { minLength: 4, maxLength: 4 });
    const kept = fc.tuple(...devices.map(() => fc.boolean()));
    fc.assert(fc.property(uuids, kept, kept, (order, isFound, isKnown) => {
      const pools = devices.map((device, k) => ({ name: `p${k}`, device, ...(isKnown[k] ? { uuid: 'ABCD'[k] } : {}) }));
      const found = Object.fromEntries(devices.flatMap((device, k) => (isFound[k] ? [[device, order[k]]] : [])));
      const chosen = places(pools, found);
      assert.equal(new Set(Object.values(chosen)).size, pools.length);
      for (const { name, uuid } of pools) {
        if (uuid !== undefined && Object.values(found).includes(uuid)) assert.equal(found[chosen[name]], uuid);
        else assert.ok(!pools.some((pool) => pool.uuid !== undefined && pool.uuid === found[chosen[name]]));
      }
    }));
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  describeRange, DEVICE_SPAN, deviceOf, DEVICES_MAX, offsetOf, poolAddress,
} from '../../../../src/famfs/device/pool-address.ts';

describe('a pool address', () => {
  it('tells device and offset exactly, for every device that a pool can have', () => {
    const device = fc.integer({ min: 0, max: DEVICES_MAX - 1 });
    const offset = fc.maxSafeNat().map((number) => number % DEVICE_SPAN);
    fc.assert(fc.property(device, offset, (index, at) => {
      const address = poolAddress(index, at);
      assert.ok(Number.isSafeInteger(address));
      assert.deepEqual([deviceOf(address), offsetOf(address)], [index, at]);
    }));
  });

  it('is the offset on the first device', () => {
    assert.equal(poolAddress(0, 0xa00000), 0xa00000);
  });

  it('is told to people by device and offset, the first device left out', () => {
    const end = (device: number) => poolAddress(device, 6);
    assert.deepEqual(describeRange({ start: poolAddress(0, 2), end: end(0) }), { offset: 2, length: 4 });
    assert.deepEqual(describeRange({ start: poolAddress(3, 2), end: end(3) }), { device: 3, offset: 2, length: 4 });
  });
});

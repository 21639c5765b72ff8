import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { parseCapacityRange, satisfies, sizeFor } from '../../../src/controller/capacity.ts';

const AU = 2 ** 21;
const POOL = 100 * AU;
const range = (required: bigint | number, limit: bigint | number = 0) =>
  ({ required_bytes: String(required), limit_bytes: String(limit) });

describe('capacity ranges', () => {
  for (const [what, asked, size] of [
    ['nothing asked', null, AU],
    ['one byte', range(1), AU],
    ['exactly one unit', range(AU), AU],
    ['one byte more', range(AU + 1), 2 * AU],
    ['only a limit', range(0, 5 * AU), AU],
    ['a limit that is met exactly', range(AU + 1, 2 * AU), 2 * AU],
    ['the whole pool', range(POOL), POOL],
  ] as const) {
    it(`${what}: ${size} bytes`, () => assert.equal(sizeFor(parseCapacityRange(asked), AU, POOL), size));
  }

  for (const [what, asked, code, named] of [
    ['zero', range(0), status.INVALID_ARGUMENT, /0 bytes/],
    ['less than nothing', range(-1), status.INVALID_ARGUMENT, /-1/],
    ['a negative limit', range(1, -5), status.INVALID_ARGUMENT, /-5/],
    ['more than the limit', range(10, 5), status.INVALID_ARGUMENT, /10 is above limit_bytes 5/],
    ['a limit below one unit', range(1, AU - 1), status.OUT_OF_RANGE, /2097151/],
    ['a limit that rounding up passes', range(AU + 1, 2 * AU - 1), status.OUT_OF_RANGE, /4194303/],
    ['more than the pool', range(POOL + 1), status.OUT_OF_RANGE, /209715201/],
    ['the largest number there is', range(2n ** 63n - 1n), status.OUT_OF_RANGE, /9223372036854775807/],
  ] as const) {
    it(`${what} is refused, naming the value`, () => {
      assert.throws(() => sizeFor(parseCapacityRange(asked), AU, POOL), (error: { code: number; message: string }) =>
        error.code === code && named.test(error.message));
    });
  }

  it('are satisfied from the required size to the limit', () => {
    assert.ok(satisfies(2 * AU, parseCapacityRange(range(AU + 1))));
    assert.ok(satisfies(2 * AU, parseCapacityRange(range(1, 2 * AU))));
    assert.ok(!satisfies(AU, parseCapacityRange(range(AU + 1))));
    assert.ok(!satisfies(2 * AU, parseCapacityRange(range(1, AU))));
    assert.ok(satisfies(AU, parseCapacityRange(null)));
  });
});

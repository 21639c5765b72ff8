import { refuse } from '../csi/errors.ts';
import type { CapacityRange__Output } from '../generated/csi/v1/CapacityRange.ts';

/**
 * Bytes asked for, at least and at most; 0 as the limit means none. Big integers, because any 64-bit
 * value may arrive.
 */
export interface CapacityRange {
  readonly required: bigint;
  readonly limit: bigint;
}

/**
 * Reads a capacity range; none at all asks for the smallest volume. Throws INVALID_ARGUMENT naming
 * the value.
 */
export function parseCapacityRange(range: CapacityRange__Output | null | undefined): CapacityRange {
  if (!range) return { required: 0n, limit: 0n };
  const required = BigInt(range.required_bytes);
  const limit = BigInt(range.limit_bytes);
  if (required < 0n) throw refuse.invalid(`capacity_range.required_bytes ${required} is negative`);
  if (limit < 0n) throw refuse.invalid(`capacity_range.limit_bytes ${limit} is negative`);
  if (required === 0n && limit === 0n) throw refuse.invalid('capacity_range asks for 0 bytes: give required_bytes or limit_bytes');
  if (limit > 0n && required > limit) throw refuse.invalid(`capacity_range.required_bytes ${required} is above limit_bytes ${limit}`);
  return { required, limit };
}

/** Whether a volume of this size is an answer to the range. */
export function satisfies(size: number, { required, limit }: CapacityRange): boolean {
  return BigInt(size) >= required && (limit === 0n || BigInt(size) <= limit);
}

/**
 * The size to allocate: what is required, in whole allocation units. Throws OUT_OF_RANGE where the
 * limit or the pool forbids it.
 */
export function sizeFor({ required, limit }: CapacityRange, allocationUnit: number, poolBytes: number): number {
  const unit = BigInt(allocationUnit);
  const size = required === 0n ? unit : (required + unit - 1n) / unit * unit;
  if (limit > 0n && size > limit) {
    throw refuse.outOfRange(`capacity_range.limit_bytes ${limit} leaves no size: memory is given in units of ${unit} bytes, so the volume would have ${size}`);
  }
  if (size > BigInt(poolBytes)) {
    throw refuse.outOfRange(`capacity_range.required_bytes ${required} is more than the pool could ever hold (${poolBytes} bytes)`);
  }
  return Number(size);
}

import { randomBytes } from 'node:crypto';

/** A new log life, for who gives log indices another meaning: random, and neither half of it is 0. */
export function drawLogLife(): bigint {
  for (;;) {
    const bytes = randomBytes(8);
    if (bytes.readUInt32LE(0) !== 0 && bytes.readUInt32LE(4) !== 0) return bytes.readBigUInt64LE();
  }
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { entryOffset } from '../../../../src/famfs/format/log-header.ts';
import { BATCH, LogScanner } from '../../../../src/famfs/log/log-scanner.ts';
import { Random } from '../../../fuzz/random.ts';
import { crc } from '../../../oracle/crc.ts';
import { entryIsSound } from '../../../oracle/entry.ts';
import { SmallPool } from '../../../support/small-pool.ts';

const SIZE = 544;
const SLOTS = 40;

/** How an entry is spoilt; most of them are not. */
const spoiling = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(SIZE - 1), xor: fc.integer({ min: 1, max: 255 }), seal: fc.boolean() }) },
);

describe('LogScanner', () => {
  it('finds as many valid entries as are found one by one, from any slot, in any batch', () => {
    const pool = new SmallPool(SLOTS);
    const { log } = pool;
    const scanner = new LogScanner(log);
    const property = fc.property(fc.array(spoiling, { minLength: SLOTS, maxLength: SLOTS }), fc.nat(), (spoilt, seed) => {
      const random = new Random(seed);
      spoilt.forEach((spoil, index) => {
        const entry = log.bytes.subarray(entryOffset(index), entryOffset(index) + SIZE);
        for (let k = 0; k < SIZE; k += 4) entry.writeUInt32LE(random.word(), k);
        entry.writeBigUInt64LE(BigInt(index), 0);
        entry.writeBigUInt64LE(BigInt(crc(entry, 0, 536)), 536);
        if (spoil === undefined) return;
        entry[spoil.at] ^= spoil.xor;
        if (spoil.seal) entry.writeBigUInt64LE(BigInt(crc(entry, 0, 536)), 536); // wrong by its number at most
      });
      const slot = (k: number, count = 1) => log.bytes.subarray(entryOffset(k), entryOffset(k + count));
      const sound = Array.from({ length: SLOTS }, (_, k) => entryIsSound(slot(k), k));
      for (let index = 0; index < SLOTS; index++) {
        const limit = 1 + random.below(SLOTS - index);
        const bad = sound.indexOf(false, index);
        const expected = Math.min(limit, BATCH, bad < 0 ? Infinity : bad - index);
        assert.equal(scanner.read(index, limit), expected);
        assert(scanner.bytes.subarray(0, expected * SIZE).equals(slot(index, expected)));
      }
    });
    fc.assert(property, { numRuns: 60 });
  });
});

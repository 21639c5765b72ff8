import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  ClaimLayout, decodeClaimHead, decodeClaimList, encodeClaimHead, encodeClaimList, recordOffset,
} from '../../../../src/famfs/format/claim-record.ts';
import { guardListProblem } from '../../../../src/famfs/log/guards.ts';
import { guardRanges } from '../../../oracle/claim.ts';

const word = fc.nat(0xffffffff);
const uuid = fc.uuid();
const head = fc.record({
  uuid, clusterUuid: uuid, bootId: uuid,
  epoch: fc.integer({ min: 1, max: 0xffffffff }),
  firstEpoch: fc.integer({ min: 1, max: 0xffffffff }),
  holder: fc.string({ unit: 'binary', maxLength: 16 }).filter((value) => !value.includes('\0')),
});
const list = fc.record({
  guards: fc.array(fc.tuple(fc.nat(5000), fc.nat(50)).map(([first, count]) => ({ first, count })), { maxLength: 20 }),
  abandoned: fc.array(word, { maxLength: 20 }),
}, { noNullPrototype: true });

/** Slots of the log. */
const SLOTS = 5000;
/** As take-overs make them: ranges of whole guards, one behind the other. */
const honestList = fc.record({
  guards: fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 9 })), { maxLength: 12 }).map((parts) => {
    let end = 0;
    return parts.map(([gap, count]) => {
      const first = end + gap;
      end = first + 4 * count;
      return { first, count: 4 * count };
    });
  }),
  abandoned: fc.array(fc.nat(5000), { maxLength: 20 }),
});

describe('claim record', () => {
  it('gives its head back, in its own place of the ring alone, to its own file system alone', () => {
    fc.assert(fc.property(head, uuid, (value, other) => {
      const bytes = encodeClaimHead(value);
      assert.equal(bytes.length, ClaimLayout.headLength);
      const number = value.epoch % ClaimLayout.records;
      const judged = decodeClaimHead(bytes, 0, value.uuid.toUpperCase(), number);
      assert(judged.verdict === 'valid');
      for (const [name, field] of Object.entries(value)) assert.equal(judged.head[name as keyof typeof value], field);
      assert.equal(decodeClaimHead(bytes, 0, value.uuid, (number + 1) % ClaimLayout.records).verdict, 'none');
      if (other !== value.uuid) assert.equal(decodeClaimHead(bytes, 0, other, number).verdict, 'none');
    }));
  });

  it('does not count with any byte of its head changed', () => {
    fc.assert(fc.property(head, fc.nat(ClaimLayout.headLength - 1), fc.integer({ min: 1, max: 255 }), (value, at, xor) => {
      const bytes = encodeClaimHead(value);
      bytes[at] ^= xor;
      assert.equal(decodeClaimHead(bytes, 0, value.uuid, value.epoch % ClaimLayout.records).verdict, 'none');
    }), { numRuns: 500 });
  });

  it('gives its list back, under the head it was written for alone', () => {
    fc.assert(fc.property(head, list, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, content, place, xor) => {
      const record = Buffer.alloc(ClaimLayout.recordLength);
      const bytes = encodeClaimList(value, content);
      bytes.copy(record, ClaimLayout.list);
      assert.deepEqual(decodeClaimList(record, 0, value), content);
      assert.equal(decodeClaimList(record, 0, { ...value, epoch: value.epoch + 1 }), undefined);
      assert.equal(decodeClaimList(record, 0, { ...value, holder: `x${value.holder}` }), undefined);
      record[ClaimLayout.list + place % bytes.length] ^= xor;
      assert.equal(decodeClaimList(record, 0, value), undefined);
    }));
  });

  it('guards the slots that the oracle reads from the same bytes, or is believed by neither', () => {
    let believed = 0;
    fc.assert(fc.property(head, fc.oneof(list, honestList), (value, content) => {
      const superblock = Buffer.alloc(ClaimLayout.ring + ClaimLayout.records * ClaimLayout.recordLength);
      superblock.write(value.uuid.replaceAll('-', ''), 48, 'hex');
      encodeClaimHead(value).copy(superblock, recordOffset(value.epoch));
      encodeClaimList(value, content).copy(superblock, recordOffset(value.epoch) + ClaimLayout.list);
      const isSound = guardListProblem(content.guards, SLOTS) === undefined;
      if (isSound) believed++;
      assert.deepEqual(guardRanges(superblock, SLOTS), isSound ? content.guards.map(({ first, count }) => [first, count]) : undefined);
    }));
    assert.ok(believed > 10);
  });
});

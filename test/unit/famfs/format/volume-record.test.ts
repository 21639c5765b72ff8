import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DirectoryLayout } from '../../../../src/famfs/format/entry-layout.ts';
import {
  decodeVolumeRecord, encodeVolumeRecord, type VolumeRecord, volumeRecordFits,
} from '../../../../src/famfs/format/volume-record.ts';

const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength }).filter((value) => !value.includes('\0'));
const record: fc.Arbitrary<VolumeRecord> = fc.record({
  name: text(60),
  kind: text(10),
  source: text(30),
  parameters: fc.dictionary(text(12), text(20), { maxKeys: 8, noNullPrototype: true }),
  createdAt: fc.nat(Number.MAX_SAFE_INTEGER),
  capacity: fc.nat(Number.MAX_SAFE_INTEGER),
}, { requiredKeys: ['name', 'kind', 'parameters', 'createdAt'], noNullPrototype: true });

describe('volume record', () => {
  it('comes back as it was, or is refused when it does not fit: never cut', () => {
    let refused = 0;
    fc.assert(fc.property(record, (value) => {
      if (!volumeRecordFits(value)) {
        refused++;
        assert.throws(() => encodeVolumeRecord(value), RangeError);
        return;
      }
      const bytes = encodeVolumeRecord(value);
      assert.equal(bytes.length, DirectoryLayout.spareLength);
      assert.deepEqual(decodeVolumeRecord(bytes), value);
    }), { numRuns: 2000 });
    assert(refused > 0);
  });

  it('keeps keys that mean something to JavaScript', () => {
    const parameters = JSON.parse('{"__proto__": "a", "constructor": "b", "": "c"}') as Record<string, string>;
    const value = { name: 'n', kind: 'volume', parameters, createdAt: 1 };
    assert.deepEqual(Object.entries(decodeVolumeRecord(encodeVolumeRecord(value))!.parameters), Object.entries(parameters));
  });

  it('skips fields that later versions add', () => {
    const value = { name: 'n', kind: 'volume', parameters: { a: 'b' }, createdAt: 5 };
    const bytes = encodeVolumeRecord(value);
    const length = bytes.readUInt16LE(6);
    bytes.set([200, 2, 0, 1, 2], 8 + length);
    bytes.writeUInt16LE(length + 5, 6);
    assert.deepEqual(decodeVolumeRecord(bytes), value);
  });

  it('makes something or nothing of any bytes, and never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 428, maxLength: 428 }), fc.nat(500), (noise, length) => {
      const bytes = Buffer.from(noise);
      decodeVolumeRecord(bytes);
      bytes.write('FCSI', 'latin1');
      bytes.writeUInt16LE(1, 4);
      bytes.writeUInt16LE(length, 6);
      decodeVolumeRecord(bytes);
    }));
  });

  /** A record whose fields have these texts; of numbers, whatever they are. */
  function forged(...fields: readonly [tag: number, bytes: Buffer | string][]): Buffer {
    const bytes = encodeVolumeRecord({ name: 'n', kind: 'volume', parameters: {}, createdAt: 5 });
    for (const [tag, text] of fields) {
      const length = bytes.readUInt16LE(6);
      const value = Buffer.from(text);
      bytes.set([tag, value.length, 0, ...value], 8 + length);
      bytes.writeUInt16LE(length + 3 + value.length, 6);
    }
    return bytes;
  }

  for (const text of ['abc', '1e400', '-5', '', ' 7', '7 ', '+7', '07', '0x10', '7.0', 'NaN', 'Infinity', '9007199254740992', '9'.repeat(40), '７']) {
    it(`misses a capacity and a creation time of ${JSON.stringify(text)}`, () => {
      const { capacity, createdAt } = decodeVolumeRecord(forged([6, text], [5, text]))!;
      assert.deepEqual([capacity, createdAt], [undefined, 0]);
    });
  }

  it('has any number of bytes that can be exact', () => {
    for (const capacity of [0, 7, Number.MAX_SAFE_INTEGER]) assert.equal(decodeVolumeRecord(forged([6, String(capacity)]))!.capacity, capacity);
  });

  it('is none with a text that is not UTF-8', () => {
    for (const tag of [1, 2, 3, 4]) assert.equal(decodeVolumeRecord(forged([tag, Buffer.from([0x61, 0xff])])), undefined);
    assert.notEqual(decodeVolumeRecord(forged([200, Buffer.from([0xff])])), undefined, 'what nobody knows is skipped');
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EntryLayout } from '../../../../src/famfs/format/entry-layout.ts';
import { entryIsValid, sealEntry } from '../../../../src/famfs/format/entry.ts';
import { EntryType, nextWord, originalType, StateWord } from '../../../../src/famfs/format/state-word.ts';
import { entryIsSound } from '../../../oracle/entry.ts';
import { vector, vectorNames } from '../../../support/vectors.ts';

/** Every way an entry may go from its first type. */
const ways = {
  [EntryType.File]: [['quarantined'], ['void'], ['quarantined', 'void']],
  [EntryType.Directory]: [['void']],
} as const;

/** Walks an entry through its states, one 8-byte store each; its CRC must hold all along. */
function walk(original: Buffer, index: number, type: 0 | 1): void {
  for (const way of ways[type]) {
    const entry = Buffer.from(original);
    for (const to of way) {
      const word = nextWord(entry.readBigUInt64LE(EntryLayout.type), to);
      assert(word !== undefined);
      entry.writeBigUInt64LE(word, EntryLayout.type);
      assert(entryIsValid(entry, index) && entryIsSound(entry, index), `${way.join(', ')} of ${index}`);
    }
    const last = entry.readBigUInt64LE(EntryLayout.type);
    assert.equal(Number(last & 0xffffffffn), way.at(-1) === 'void' ? EntryType.Void : EntryType.Quarantined);
    const plain = original.readUInt32LE(EntryLayout.padding) === 0;
    if (plain) assert.equal(originalType(Number(last & 0xffffffffn), Number(last >> 32n)), type);
    if (way.at(-1) === 'void') for (const to of ['quarantined', 'void'] as const) assert.equal(nextWord(last, to), undefined);
  }
}

describe('state word', () => {
  it('keeps the CRC of any entry valid, whatever its payload and padding', () => {
    const bytes = fc.uint8Array({ minLength: EntryLayout.size, maxLength: EntryLayout.size });
    const types = fc.constantFrom(0 as const, 1 as const);
    fc.assert(fc.property(bytes, fc.nat(), types, fc.boolean(), (noise, index, type, padded) => {
      const entry = Buffer.from(noise);
      entry.writeBigUInt64LE(BigInt(index), EntryLayout.seqnum);
      entry.writeUInt32LE(type, EntryLayout.type);
      if (!padded) entry.writeUInt32LE(0, EntryLayout.padding);
      walk(sealEntry(entry), index, type);
    }), { numRuns: 300 });
  });

  it('keeps the CRC of every file and directory of the vectors valid', () => {
    const walked = { [EntryType.File]: 0, [EntryType.Directory]: 0 };
    for (const name of vectorNames) {
      const { log } = vector(name);
      for (let index = 0; 48 + (index + 1) * EntryLayout.size <= log.length; index++) {
        const at = 48 + index * EntryLayout.size;
        const entry = log.subarray(at, at + EntryLayout.size);
        const type = entry.readUInt32LE(EntryLayout.type);
        if (!entryIsValid(entry, index) || (type !== EntryType.File && type !== EntryType.Directory)) continue;
        walk(entry, index, type);
        walked[type]++;
      }
    }
    assert(walked[EntryType.File] > 1000 && walked[EntryType.Directory] > 20, JSON.stringify(walked));
  });

  it('has the words that the format tells', () => {
    assert.deepEqual(StateWord, {
      file: 0n,
      directory: 1n,
      quarantined: 0xa49ac41500001001n,
      voidFile: 0xb62f6bfb00001002n,
      voidDirectory: 0x0e930c9e00001002n,
    });
  });
});

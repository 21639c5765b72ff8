import { crc32 } from 'node:zlib';
import type { Region } from '../device/region.ts';
import { EntryLayout } from '../format/entry-layout.ts';
import { entryOffset } from '../format/log-header.ts';
import { readU64 } from '../format/struct.ts';

/** Entries checked by one CRC pass: as many as keep every error of up to 3 bits detectable (91,607 bits). */
export const BATCH = 21;
const SIZE = EntryLayout.size;

/**
 * The CRC of k valid entries in a row is the same whatever they hold: each ends with its own CRC,
 * which brings the checksum to one fixed state. So one pass over a batch checks them all.
 */
const batchCrc = (() => {
  const valid = Buffer.alloc(SIZE);
  valid.writeUInt32LE(crc32(valid.subarray(0, EntryLayout.crc)), EntryLayout.crc);
  const sums = [0];
  for (let k = 0; k < BATCH; k++) sums.push(crc32(valid, sums[k]));
  return sums;
})();

/**
 * Copies entries out of a log that others may be writing, and checks the copies. Everything above
 * works on the copy: what was checked is what is used.
 */
export class LogScanner {
  /** The copied entries. */
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly #log: Region;

  constructor(log: Region) {
    const memory = new ArrayBuffer(BATCH * SIZE);
    this.#log = log;
    this.bytes = Buffer.from(memory);
    this.words = new Uint32Array(memory);
  }

  /**
   * Copies up to `limit` entries from `index` on and answers how many of them, from the first,
   * are valid: CRC (all 64 bits of its field) and sequence number. Entry k is at bytes k * 544.
   */
  read(index: number, limit: number): number {
    const count = Math.min(limit, BATCH);
    const from = entryOffset(index);
    this.#log.bytes.copy(this.bytes, 0, from, from + count * SIZE);
    const sound = crc32(count === BATCH ? this.bytes : this.bytes.subarray(0, count * SIZE)) === batchCrc[count];
    for (let k = 0; k < count; k++) {
      const word = k * (SIZE / 4);
      if (this.words[word] !== index + k || this.words[word + 1] !== 0) return k;
      if (!sound && !this.#crcIsRight(k)) return k;
    }
    return count;
  }

  #crcIsRight(k: number): boolean {
    const at = k * SIZE;
    const word = (at + EntryLayout.crc) / 4;
    return this.words[word + 1] === 0 && this.words[word] === crc32(this.bytes.subarray(at, at + EntryLayout.crc));
  }
}

/** Why the entry in a slot is not valid, for a person. */
export function describeBadEntry(log: Region, index: number): string {
  const from = entryOffset(index);
  const bytes = Buffer.from(log.bytes.subarray(from, from + SIZE));
  if (bytes.every((byte) => byte === 0)) return 'the slot is empty, but the log should go on';
  const seqnum = readU64(bytes, EntryLayout.seqnum);
  if (seqnum !== index) return `its sequence number is ${seqnum}`;
  const crc = crc32(bytes.subarray(0, EntryLayout.crc));
  return `its CRC is 0x${readU64(bytes, EntryLayout.crc).toString(16)}, its bytes give 0x${crc.toString(16)}`;
}

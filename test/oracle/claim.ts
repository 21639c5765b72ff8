import { crc } from './crc.ts';
import { ENTRY, entryIsSound, FILE, MKDIR } from './entry.ts';

/** Where the parts of the claim ring stand in the superblock region; see docs/format.md. */
const RING = 16384;
const RECORDS = 64;
const RECORD = 16384;
const LIST = 1024;
const MAGIC = 'famfsclm';

/** The ranges that every reader skips: those of the highest epoch's record that has a valid list; undefined where no writer can have made it. */
export function guardRanges(sb: Buffer, slotsOfLog: number): [number, number][] | undefined {
  const uuid = sb.subarray(48, 64);
  let epoch = 0n;
  let slots: [number, number][] = [];
  for (let number = 0; number < RECORDS; number++) {
    const record = sb.subarray(RING + number * RECORD, RING + (number + 1) * RECORD);
    if (!headIsValid(record, uuid, number)) continue;
    const list = readList(record);
    if (list === undefined || record.readBigUInt64LE(32) < epoch) continue;
    epoch = record.readBigUInt64LE(32);
    slots = list;
  }
  const seen = new Set<number>();
  for (const [first, count] of slots) {
    if (count === 0 || count % 4 !== 0 || first + count > slotsOfLog || seen.size + count > 4096) return undefined;
    for (let k = first; k < first + count; k++) {
      if (seen.has(k)) return undefined;
      seen.add(k);
    }
  }
  return slots;
}

/** Whether writers of the ring's records can have left what stands in the slots of these ranges. */
export function guardsFit(sb: Buffer, log: Buffer, ranges: readonly [number, number][]): boolean {
  const uuid = sb.subarray(48, 64);
  const records = Array.from({ length: RECORDS }, (_, number) => sb.subarray(RING + number * RECORD, RING + (number + 1) * RECORD))
    .filter((record, number) => headIsValid(record, uuid, number));
  const entries = ranges.flatMap(([first, count]) => Array.from({ length: count }, (_, k) => first + k))
    .map((slot) => ({ slot, entry: log.subarray(48 + slot * ENTRY, 48 + (slot + 1) * ENTRY) }));
  const sound = entries.filter(({ slot, entry }) => entryIsSound(entry, slot));
  const alive = sound.filter(({ entry }) => entry.readUInt32LE(8) === FILE || entry.readUInt32LE(8) === MKDIR);
  if (ranges.length === 0) return true;
  return alive.length <= 4 * records.filter((record) => readList(record) !== undefined).length && entries.length - sound.length <= 4 * records.length + 4;
}

function headIsValid(record: Buffer, uuid: Buffer, number: number): boolean {
  if (record.toString('latin1', 0, 8) !== MAGIC) return false;
  if (record.readBigUInt64LE(136) !== BigInt(crc(record, 0, 136))) return false;
  if (!record.subarray(16, 32).equals(uuid)) return false;
  if (record.readUInt32LE(8) !== 1) return false;
  const epoch = record.readBigUInt64LE(32);
  return epoch > 0n && epoch < 1n << 32n && epoch % 64n === BigInt(number);
}

/** Guard ranges of a list, which is CRC'd together with its head's epoch and holder. */
function readList(record: Buffer): [number, number][] | undefined {
  const list = record.subarray(LIST);
  const guards = list.readUInt32LE(8);
  const abandoned = list.readUInt32LE(12);
  if (guards > 1024 || abandoned > 1024) return undefined;
  if (list.readBigUInt64LE(0) !== BigInt(crc(list, 8, 16 + guards * 8 + abandoned * 4, headPart(record)))) return undefined;
  return Array.from({ length: guards }, (_, k) => [list.readUInt32LE(16 + k * 8), list.readUInt32LE(20 + k * 8)]);
}

function headPart(record: Buffer): number {
  const who = Buffer.alloc(72);
  record.copy(who, 0, 32, 40);
  const end = record.subarray(56, 120).indexOf(0);
  record.copy(who, 8, 56, end < 0 ? 120 : 56 + end);
  return crc(who);
}

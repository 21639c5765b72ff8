import { isUtf8 } from 'node:buffer';
import { DirectoryLayout } from './entry-layout.ts';
import { struct, u16, u32 } from './struct.ts';

/**
 * What a volume is, kept in the spare bytes of its directory's MKDIR entry (entry bytes 108 to
 * 535), which the reference tools write as zeros and never read. Layout: tag "FCSI", u16 version,
 * u16 length of what follows, then fields of u8 tag, u16 length, bytes. Fields of unknown tags are
 * skipped; they belong to later versions of the same layout. Whoever writes to the pool can store any bytes here:
 * with a text that is not UTF-8 it is no record, and a number that is none is missing.
 */
export interface VolumeRecord {
  /** The name as asked for, which the directory's name may have to shorten. */
  readonly name: string;
  readonly kind: string;
  /** Where the content came from, when it was a copy. */
  readonly source?: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Milliseconds since 1970; 0 where the record does not tell. */
  readonly createdAt: number;
  /** Bytes asked for and granted; missing where the record does not tell. */
  readonly capacity?: number;
}

const head = struct({ tag: u32(0), version: u16(4), length: u16(6) });
const HEAD = 8;
const TAG = 0x49534346; // "FCSI" in memory order
const VERSION = 1;
const Tag = { Name: 1, Kind: 2, Source: 3, Parameter: 4, CreatedAt: 5, Capacity: 6 } as const;

/** Whether a record fits into an entry's spare bytes. */
export function volumeRecordFits(record: VolumeRecord): boolean {
  try {
    return HEAD + encodeFields(record).length <= DirectoryLayout.spareLength;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The spare bytes that hold a record. Throws RangeError when they are too few: nothing is ever cut. */
export function encodeVolumeRecord(record: VolumeRecord): Buffer {
  const fields = encodeFields(record);
  if (HEAD + fields.length > DirectoryLayout.spareLength) {
    throw new RangeError(`the volume's record needs ${HEAD + fields.length} bytes, a log entry has ${DirectoryLayout.spareLength}: shorten its parameters`);
  }
  const bytes = Buffer.alloc(DirectoryLayout.spareLength);
  head.encode({ tag: TAG, version: VERSION, length: fields.length }, bytes);
  fields.copy(bytes, HEAD);
  return bytes;
}

/** The record in an entry's spare bytes, or undefined when there is none that we understand. */
export function decodeVolumeRecord(spare: Buffer): VolumeRecord | undefined {
  const { tag, version, length } = head.decode(spare);
  if (tag !== TAG || version !== VERSION || HEAD + length > spare.length) return undefined;
  const record = { name: '', kind: '', createdAt: 0, parameters: {} as Record<string, string> };
  let source: string | undefined;
  let capacity: number | undefined;
  for (let at = HEAD; at < HEAD + length; ) {
    if (at + 3 > HEAD + length) return undefined;
    const size = spare.readUInt16LE(at + 1);
    if (at + 3 + size > HEAD + length) return undefined;
    const bytes = spare.subarray(at + 3, at + 3 + size);
    if (isText(spare[at]) && !isUtf8(bytes)) return undefined;
    const value = bytes.toString('utf8');
    switch (spare[at]) {
      case Tag.Name: record.name = value; break;
      case Tag.Kind: record.kind = value; break;
      case Tag.Source: source = value; break;
      case Tag.CreatedAt: record.createdAt = numberIn(value) ?? 0; break;
      case Tag.Capacity: capacity = numberIn(value); break;
      case Tag.Parameter: {
        const [key, ...rest] = value.split('\0');
        Object.defineProperty(record.parameters, key, { value: rest.join('\0'), enumerable: true, configurable: true, writable: true });
      }
    }
    at += 3 + size;
  }
  return { ...record, ...(source === undefined ? {} : { source }), ...(capacity === undefined ? {} : { capacity }) };
}

function isText(tag: number): boolean {
  return tag === Tag.Name || tag === Tag.Kind || tag === Tag.Source || tag === Tag.Parameter;
}

/** A number as `encodeVolumeRecord` writes it; undefined for any other text. */
function numberIn(text: string): number | undefined {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function encodeFields(record: VolumeRecord): Buffer {
  const parts = [field(Tag.Name, record.name), field(Tag.Kind, record.kind)];
  if (record.source !== undefined) parts.push(field(Tag.Source, record.source));
  for (const [key, value] of Object.entries(record.parameters)) parts.push(field(Tag.Parameter, `${key}\0${value}`));
  parts.push(field(Tag.CreatedAt, String(record.createdAt)));
  if (record.capacity !== undefined) parts.push(field(Tag.Capacity, String(record.capacity)));
  return Buffer.concat(parts);
}

function field(tag: number, value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length > 0xffff) throw new RangeError(`a field of ${bytes.length} bytes fits into no record`);
  const start = Buffer.alloc(3);
  start.writeUInt8(tag, 0);
  start.writeUInt16LE(bytes.length, 1);
  return Buffer.concat([start, bytes]);
}

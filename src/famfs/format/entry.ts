import { crc32 } from 'node:zlib';
import { DirectoryLayout, EntryLayout, EXTENTS_MAX, ExtentType, FileLayout, PATH_FIELD } from './entry-layout.ts';
import { EntryType } from './state-word.ts';
import { readU64, struct, text, u32, u64, uuid, writeU64 } from './struct.ts';

export interface Extent {
  readonly device: number;
  readonly offset: number;
  readonly length: number;
}

export interface Interleave {
  readonly chunkSize: number;
  readonly strips: readonly Extent[];
}

export interface FileFields {
  readonly path: string;
  readonly size: number;
  readonly flags: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly extentType: number;
  /** As stored; what is read of the extents is bounded by what an entry can hold. */
  readonly extentCount: number;
  readonly extents?: readonly Extent[];
  readonly interleave?: Interleave & { readonly stripCount: number };
}

export type EntryBody =
  | ({ readonly kind: 'file' } & FileFields)
  | { readonly kind: 'directory'; readonly path: string; readonly uid: number; readonly gid: number; readonly mode: number; readonly spare: Buffer }
  | { readonly kind: 'daxdev'; readonly index: number; readonly size: number; readonly uuid: string }
  | { readonly kind: 'unknown'; readonly payload: Buffer };

/** A log entry as its bytes say, without judging whether it makes sense. */
export interface LogEntry {
  readonly seqnum: number;
  readonly type: number;
  readonly padding: number;
  readonly crc: number;
  readonly body: EntryBody;
}

const frame = struct({ seqnum: u64(0), type: u32(8), padding: u32(12), crc: u64(536) });
const fileStruct = struct({
  size: u64(FileLayout.size), flags: u32(FileLayout.flags), uid: u32(FileLayout.uid), gid: u32(FileLayout.gid),
  mode: u32(FileLayout.mode), path: text(FileLayout.path, PATH_FIELD), extentType: u32(FileLayout.extentType),
  extentCount: u32(FileLayout.extentCount),
});
const directoryStruct = struct({
  uid: u32(DirectoryLayout.uid), gid: u32(DirectoryLayout.gid), mode: u32(DirectoryLayout.mode),
  path: text(DirectoryLayout.path, PATH_FIELD),
});
const daxdevStruct = struct({ size: u64(16), uuid: uuid(24), index: u32(40) });
const extentStruct = struct({ device: u64(0), offset: u64(8), length: u64(16) });

/** Decodes 544 bytes. Dead files (quarantined, void) decode as `unknown`: see `decodeBody`. */
export function decodeEntry(bytes: Buffer): LogEntry {
  const { seqnum, type, padding, crc } = frame.decode(bytes);
  return { seqnum, type, padding, crc, body: decodeBody(bytes, type) };
}

/** Decodes the payload as that of an entry of `type`, which for a dead entry is what it was. */
export function decodeBody(bytes: Buffer, type: number): EntryBody {
  switch (type) {
    case EntryType.File:
      return { kind: 'file', ...fileStruct.decode(bytes), ...decodeMap(bytes) };
    case EntryType.Directory:
      return { kind: 'directory', ...directoryStruct.decode(bytes), spare: copy(bytes, DirectoryLayout.spare, DirectoryLayout.spareLength) };
    case EntryType.AddDaxdev:
      return { kind: 'daxdev', ...daxdevStruct.decode(bytes) };
    default:
      return { kind: 'unknown', payload: copy(bytes, EntryLayout.payload, EntryLayout.payloadLength) };
  }
}

/** The 544 bytes of an entry; its `crc` is stored as it stands (see `sealEntry`). */
export function encodeEntry(entry: LogEntry): Buffer {
  const bytes = Buffer.alloc(EntryLayout.size);
  encodeBody(entry.body, bytes);
  frame.encode(entry, bytes);
  return bytes;
}

/** Encodes a new entry at log index `index`, with a correct CRC. */
export function newEntry(index: number, type: number, body: EntryBody): Buffer {
  return sealEntry(encodeEntry({ seqnum: index, type, padding: 0, crc: 0, body }));
}

/** Stores the CRC that the other bytes give. */
export function sealEntry(bytes: Buffer): Buffer {
  writeU64(bytes, EntryLayout.crc, entryCrc(bytes));
  return bytes;
}

export function entryCrc(bytes: Buffer): number {
  return crc32(bytes.subarray(0, EntryLayout.crc));
}

/** Whether an entry's frame is sound: the CRC (all 64 bits of its field) and the sequence number. */
export function entryIsValid(bytes: Buffer, index: number): boolean {
  return readU64(bytes, EntryLayout.seqnum) === index && readU64(bytes, EntryLayout.crc) === entryCrc(bytes);
}

function encodeBody(body: EntryBody, bytes: Buffer): void {
  switch (body.kind) {
    case 'file':
      fileStruct.encode(body, bytes);
      if (body.extents) encodeExtents(body.extents, bytes, FileLayout.extents);
      if (body.interleave) {
        writeU64(bytes, FileLayout.stripCount, body.interleave.stripCount);
        writeU64(bytes, FileLayout.chunkSize, body.interleave.chunkSize);
        encodeExtents(body.interleave.strips, bytes, FileLayout.strips);
      }
      break;
    case 'directory':
      directoryStruct.encode(body, bytes);
      body.spare.copy(bytes, DirectoryLayout.spare);
      break;
    case 'daxdev':
      daxdevStruct.encode(body, bytes);
      break;
    case 'unknown':
      body.payload.copy(bytes, EntryLayout.payload);
      break;
  }
}

function decodeMap(bytes: Buffer): Pick<FileFields, 'extents' | 'interleave'> {
  switch (bytes.readUInt32LE(FileLayout.extentType)) {
    case ExtentType.Simple:
      return { extents: decodeExtents(bytes, FileLayout.extents, bytes.readUInt32LE(FileLayout.extentCount)) };
    case ExtentType.Interleaved: {
      const stripCount = readU64(bytes, FileLayout.stripCount);
      const strips = decodeExtents(bytes, FileLayout.strips, stripCount);
      return { interleave: { stripCount, chunkSize: readU64(bytes, FileLayout.chunkSize), strips } };
    }
    default: // a map of a kind we do not know: keep what stands there, so that it encodes to the same bytes
      return { extents: decodeExtents(bytes, FileLayout.extents, EXTENTS_MAX) };
  }
}

function decodeExtents(bytes: Buffer, at: number, count: number): Extent[] {
  const readable = Math.min(count, EXTENTS_MAX);
  return Array.from({ length: readable }, (_, k) => extentStruct.decode(bytes, at + k * FileLayout.extentSize));
}

function encodeExtents(extents: readonly Extent[], bytes: Buffer, at: number): void {
  extents.forEach((extent, k) => extentStruct.encode(extent, bytes, at + k * FileLayout.extentSize));
}

function copy(bytes: Buffer, at: number, length: number): Buffer {
  return Buffer.from(bytes.subarray(at, at + length));
}

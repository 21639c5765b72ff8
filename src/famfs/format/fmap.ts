import type { Extent, Interleave } from './entry.ts';
import { struct, u16, u32, u64, u8 } from './struct.ts';

/** The map of a file as the kernel asks for it (GET_FMAP reply payload). */
export interface Fmap {
  readonly fileType: number;
  readonly version: number;
  readonly fileSize: number;
  /** Bytes of the whole message, which kernels after the tenth patch series want; 0 in earlier ones. */
  readonly messageLength: number;
  readonly extents?: readonly Extent[];
  readonly interleave?: Interleave;
}

const head = struct({
  fileType: u8(0), version: u16(2), extentType: u32(4), count: u32(8), messageLength: u32(12), fileSize: u64(16),
});
const HEAD = 32;
const record = struct({ device: u32(0), reserved: u32(4), offset: u64(8), length: u64(16) });
const RECORD = 24;
const interleaveHead = struct({ strips: u32(0), chunkSize: u32(4), bytes: u64(8), reserved: u64(16) });

export function encodeFmap(map: Fmap): Buffer {
  const { interleave } = map;
  const records = interleave?.strips ?? map.extents ?? [];
  const start = interleave ? HEAD + RECORD : HEAD;
  const bytes = Buffer.alloc(start + records.length * RECORD);
  head.encode({ ...map, extentType: interleave ? 1 : 0, count: interleave ? 1 : records.length }, bytes);
  if (interleave) {
    const { chunkSize, strips } = interleave;
    interleaveHead.encode({ strips: strips.length, chunkSize, bytes: map.fileSize, reserved: 0 }, bytes, HEAD);
  }
  records.forEach((extent, k) => record.encode({ ...extent, reserved: 0 }, bytes, start + k * RECORD));
  return bytes;
}

/** Decodes a reply. Throws RangeError when it is shorter than its counts say, or of an unknown kind. */
export function decodeFmap(bytes: Buffer): Fmap {
  const { fileType, version, extentType, count, messageLength, fileSize } = head.decode(bytes);
  const common = { fileType, version, fileSize, messageLength };
  if (extentType === 0) return { ...common, extents: decodeRecords(bytes, HEAD, count) };
  if (extentType !== 1 || count !== 1) throw new RangeError(`no map of extent type ${extentType} with ${count} records is known`);
  const { strips, chunkSize } = interleaveHead.decode(bytes, HEAD);
  return { ...common, interleave: { chunkSize, strips: decodeRecords(bytes, HEAD + RECORD, strips) } };
}

function decodeRecords(bytes: Buffer, at: number, count: number): Extent[] {
  if (at + count * RECORD > bytes.length) throw new RangeError(`${count} extents do not fit into ${bytes.length} bytes`);
  return Array.from({ length: count }, (_, k) => {
    const { device, offset, length } = record.decode(bytes, at + k * RECORD);
    return { device, offset, length };
  });
}

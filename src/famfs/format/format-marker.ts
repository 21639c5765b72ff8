import { crc32 } from 'node:zlib';
import { struct, u32, u64, uuid, writeU64 } from './struct.ts';

/**
 * Stands in the superblock region, where the reference tools never look, while a device is being
 * formatted: by it a formatting knows that no other has begun since. It means nothing where there
 * is a superblock.
 */
export const FormatMarker = {
  at: 3072,
  length: 40,
  crcAt: 32,
  version: 1,
} as const;

const markerStruct = struct({ version: u32(8), id: uuid(16), crc: u64(FormatMarker.crcAt) });
const TAG = Buffer.from('famfsfmt', 'latin1');

/** The 40 bytes of the marker of the formatting `id`. */
export function encodeFormatMarker(id: string): Buffer {
  const bytes = Buffer.alloc(FormatMarker.length);
  markerStruct.encode({ version: FormatMarker.version, id, crc: 0 }, bytes);
  TAG.copy(bytes);
  writeU64(bytes, FormatMarker.crcAt, crc32(bytes.subarray(0, FormatMarker.crcAt)));
  return bytes;
}

/**
 * Whether a formatting left its marker in a superblock region. The tag alone decides: a marker
 * that is torn, or of a later version, was somebody's too.
 */
export function hasFormatMarker(region: Buffer): boolean {
  return region.subarray(FormatMarker.at, FormatMarker.at + TAG.length).equals(TAG);
}

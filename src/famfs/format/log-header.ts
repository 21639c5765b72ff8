import { crc32 } from 'node:zlib';
import { EntryLayout } from './entry-layout.ts';
import { struct, u64 } from './struct.ts';

/** The log header: the first 48 bytes of the log region. The CRC covers bytes 0 to 23 alone. */
export const logHeaderStruct = struct({
  magic: u64(0),
  length: u64(8),
  lastIndex: u64(16),
  crc: u64(24),
  nextSeqnum: u64(32),
  nextIndex: u64(40),
});

export type LogHeader = ReturnType<typeof logHeaderStruct.decode>;

export const LogHeader = {
  magic: 0xbadcafef00d,
  length: 48,
  crcLength: 24,
  nextSeqnumOffset: 32,
  nextIndexOffset: 40,
  minimumLogLength: 0x800000,
} as const;

/** Entries that a log of that many bytes holds. */
export function logCapacity(logLength: number): number {
  return Math.max(0, Math.floor((logLength - LogHeader.length) / EntryLayout.size));
}

/** Where an entry begins in the log region. */
export function entryOffset(index: number): number {
  return LogHeader.length + index * EntryLayout.size;
}

/** Where an entry's state word is in the log region: 8-byte aligned. */
export function stateOffset(index: number): number {
  return entryOffset(index) + EntryLayout.type;
}

export function decodeLogHeader(bytes: Buffer): LogHeader {
  return logHeaderStruct.decode(bytes);
}

export function encodeLogHeader(header: LogHeader): Buffer {
  const bytes = Buffer.alloc(LogHeader.length);
  logHeaderStruct.encode(header, bytes);
  return bytes;
}

/** The header of an empty log of `length` bytes. */
export function emptyLogHeader(length: number): Buffer {
  const header = { magic: LogHeader.magic, length, lastIndex: logCapacity(length) - 1, crc: 0, nextSeqnum: 0, nextIndex: 0 };
  const crc = crc32(encodeLogHeader(header).subarray(0, LogHeader.crcLength));
  return encodeLogHeader({ ...header, crc });
}

/** Why a log header cannot be used, or undefined. */
export function logHeaderProblem(bytes: Buffer): string | undefined {
  const header = decodeLogHeader(bytes);
  if (header.magic !== LogHeader.magic) return `magic is 0x${header.magic.toString(16)}, not 0x${LogHeader.magic.toString(16)}`;
  const crc = crc32(bytes.subarray(0, LogHeader.crcLength));
  if (header.crc !== crc) return `CRC is 0x${header.crc.toString(16)}, the bytes give 0x${crc.toString(16)}`;
  if (header.lastIndex !== logCapacity(header.length) - 1) {
    return `last_index is ${header.lastIndex}; a log of ${header.length} bytes has ${logCapacity(header.length) - 1}`;
  }
  return undefined;
}

import { crc32 } from 'node:zlib';
import { struct, text, u32, u64, uuid, writeU64 } from './struct.ts';

/** The superblock: the first 200 bytes of the 2 MiB superblock region. */
export const superblockStruct = struct({
  magic: u64(0),
  version: u64(8),
  logOffset: u64(16),
  logLength: u64(24),
  allocationUnit: u64(32),
  omfMajor: u32(40),
  omfMinor: u32(44),
  uuid: uuid(48),
  deviceUuid: uuid(64),
  systemUuid: uuid(80),
  crc: u64(96),
  flags: u32(104),
  deviceSize: u64(112),
  daxdevUuid: uuid(120),
  deviceName: text(136, 64),
});

export type Superblock = ReturnType<typeof superblockStruct.decode>;

export const Superblock = {
  magic: 0x87b282ff,
  version: 48,
  omfMajor: 2,
  omfMinor: 2,
  length: 200,
  /** While `adopt` rewrites the superblock a copy stands here, where the reference tools never look. */
  copyAt: 2048,
  /** The CRC covers what stands before it: the device's size and name are unprotected. */
  crcLength: 96,
  regionLength: 0x200000,
  allocationUnit: 0x200000,
} as const;

/** Allocation units that readers accept; mkfs writes only the larger. */
const allocationUnits = [4096, 0x200000];

export function decodeSuperblock(bytes: Buffer): Superblock {
  return superblockStruct.decode(bytes);
}

/** The 200 bytes of a superblock; its `crc` is stored as it stands (see `superblockCrc`). */
export function encodeSuperblock(superblock: Superblock): Buffer {
  const bytes = Buffer.alloc(Superblock.length);
  superblockStruct.encode(superblock, bytes);
  return bytes;
}

export function superblockCrc(bytes: Buffer): number {
  return crc32(bytes.subarray(0, Superblock.crcLength));
}

/** The copy of the superblock in a superblock region. */
export function superblockCopy(region: Buffer): Buffer {
  return Buffer.from(region.subarray(Superblock.copyAt, Superblock.copyAt + Superblock.length));
}

/** A superblock with another owner; every byte that is neither the owner nor the CRC stays. */
export function withOwner(bytes: Buffer, systemUuid: string): Buffer {
  const copy = Buffer.from(bytes);
  const { systemUuid: owner, crc } = superblockStruct.fields;
  owner.write(copy, owner.offset, systemUuid);
  writeU64(copy, crc.offset, superblockCrc(copy));
  return copy;
}

/** A superblock with the magic that it should have. */
export function withMagic(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes.subarray(0, Superblock.length));
  writeU64(copy, 0, Superblock.magic);
  return copy;
}

/**
 * The format version of a sound superblock whose major version we do not know: what stands there may mean anything,
 * so nothing is read or written. Undefined where we know it, or the superblock is not sound. Minor versions only add
 * kinds of entries, which are skipped: any of them will do. The reference checks neither.
 */
export function foreignFormat(bytes: Buffer): string | undefined {
  const { magic, version, crc, omfMajor, omfMinor } = decodeSuperblock(bytes);
  if (magic !== Superblock.magic || version !== Superblock.version || crc !== superblockCrc(bytes)) return undefined;
  return omfMajor === Superblock.omfMajor ? undefined : `${omfMajor}.${omfMinor}`;
}

/** Why a superblock cannot be used, or undefined. The order of checks is the reference's. */
export function superblockProblem(bytes: Buffer): string | undefined {
  const superblock = decodeSuperblock(bytes);
  if (superblock.magic !== Superblock.magic) return `magic is ${hex(superblock.magic)}, not ${hex(Superblock.magic)}`;
  if (superblock.version !== Superblock.version) {
    return `version is ${superblock.version}; only ${Superblock.version} is supported`;
  }
  const crc = superblockCrc(bytes);
  if (superblock.crc !== crc) return `CRC is ${hex(superblock.crc)}, the bytes give ${hex(crc)}`;
  const foreign = foreignFormat(bytes);
  if (foreign !== undefined) return `format version is ${foreign}; this program knows ${Superblock.omfMajor}.x alone: use one that knows it`;
  if (!allocationUnits.includes(superblock.allocationUnit)) return `allocation unit ${superblock.allocationUnit} is not supported`;
  if (superblock.logOffset !== Superblock.regionLength) return `log offset is ${hex(superblock.logOffset)}, not 0x200000`;
  return undefined;
}

const hex = (value: number) => `0x${value.toString(16)}`;

import { crc } from './crc.ts';

/** What a replay sees of a device: the two regions of metadata, and how large the device is. */
export interface Image {
  /** From byte 0 of the device to the end of the claim ring at least. */
  readonly superblock: Buffer;
  /** From byte 0x200000 of the device on, as many bytes as the superblock may claim. */
  readonly log: Buffer;
  readonly deviceSize: number;
}

/** What superblock and log header say, once they are believed. */
export interface Frame {
  readonly unit: number;
  readonly logLength: number;
  readonly slots: number;
  readonly dataStart: number;
  /** End of what new files may use. */
  readonly allocatableEnd: number;
  readonly sizeDiffers: boolean;
}

const MIB2 = 0x200000;

/** The format's checks of superblock and log header; or which of the two makes the pool unusable. */
export function readFrame({ superblock: sb, log, deviceSize }: Image): Frame | 'superblock' | 'log header' {
  if (sb.readBigUInt64LE(0) !== 0x87b282ffn) return 'superblock';
  if (sb.readBigUInt64LE(8) !== 48n) return 'superblock';
  if (sb.readBigUInt64LE(96) !== BigInt(crc(sb, 0, 96))) return 'superblock';
  if (sb.readUInt32LE(40) !== 2) return 'superblock'; // whatever the minor version
  const unit = sb.readBigUInt64LE(32);
  if (unit !== 4096n && unit !== 0x200000n) return 'superblock';
  if (sb.readBigUInt64LE(16) !== 0x200000n) return 'superblock';
  const logLength = sb.readBigUInt64LE(24);
  if (logLength < 48n || 0x200000n + logLength > BigInt(deviceSize)) return 'superblock';

  if (log.readBigUInt64LE(0) !== 0xbadcafef00dn) return 'log header';
  if (log.readBigUInt64LE(24) !== BigInt(crc(log, 0, 24))) return 'log header';
  if (log.readBigUInt64LE(8) !== logLength) return 'log header';
  const slots = (logLength - 48n) / 544n;
  if (log.readBigUInt64LE(16) !== slots - 1n) return 'log header';

  const dataStart = roundUp(MIB2 + Number(logLength), Number(unit));
  const told = sb.readBigUInt64LE(112);
  // The size in the superblock has no CRC: it can only make the pool smaller, and not to nothing.
  const usable = told > BigInt(dataStart) && told < BigInt(deviceSize) ? Number(told) : deviceSize;
  const units = Math.max(0, Math.floor((usable - dataStart) / Number(unit)));
  return {
    unit: Number(unit), logLength: Number(logLength), slots: Number(slots), dataStart,
    allocatableEnd: dataStart + units * Number(unit),
    sizeDiffers: told !== BigInt(deviceSize),
  };
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

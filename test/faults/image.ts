import { ClaimLayout } from '../../src/famfs/format/claim-record.ts';
import { EntryLayout } from '../../src/famfs/format/entry-layout.ts';
import { emptyLogHeader, LogHeader } from '../../src/famfs/format/log-header.ts';
import { encodeSuperblock, Superblock, superblockCrc } from '../../src/famfs/format/superblock.ts';
import { RecordingDevice, type Step } from '../support/recording-device.ts';

/** Small, so that whole devices can be copied and compared: the other size that readers accept. */
export const UNIT = 4096;
/** Bytes zeroed at once where memory is given back. */
export const STEP = 32 * UNIT;
/** The cluster of the pools here, and their file system. */
export const CLUSTER = '6b1f3c52-0d43-4c0e-9d6f-2f1f6a1c7f00';
const UUID = '00112233-4455-4677-8899-aabbccddeeff';

export interface PoolSize {
  readonly slots: number;
  /** Units of memory for files. */
  readonly units: number;
}

/** A formatted device of few slots in memory, over which nobody ever wrote. */
export function emptyPool({ slots, units }: PoolSize): RecordingDevice {
  const logLength = Math.ceil((LogHeader.length + slots * EntryLayout.size) / UNIT) * UNIT;
  const dataStart = Superblock.regionLength + logLength;
  const device = new RecordingDevice(new ArrayBuffer(dataStart + units * UNIT));
  const bytes = encodeSuperblock({
    magic: Superblock.magic, version: Superblock.version, logOffset: Superblock.regionLength, logLength,
    allocationUnit: UNIT, omfMajor: Superblock.omfMajor, omfMinor: Superblock.omfMinor, uuid: UUID, deviceUuid: UUID,
    systemUuid: CLUSTER, crc: 0, flags: 0, deviceSize: device.size, daxdevUuid: UUID, deviceName: device.path,
  });
  bytes.writeBigUInt64LE(BigInt(superblockCrc(bytes)), Superblock.crcLength);
  device.superblock.store(0, bytes);
  device.log(logLength).store(0, emptyLogHeader(logLength));
  return device;
}

/** A device with the same bytes. */
export function copyOf(image: Buffer): RecordingDevice {
  const memory = new ArrayBuffer(image.length);
  image.copy(Buffer.from(memory));
  return new RecordingDevice(memory);
}

/** Makes a step in an image, and answers what it takes to undo it. */
export function apply(image: Buffer, step: Step): () => void {
  if (step.kind === 'fence') return () => {};
  const length = step.kind === 'zero' ? step.length : step.bytes.length;
  const before = Buffer.from(image.subarray(step.at, step.at + length));
  if (step.kind === 'zero') image.fill(0, step.at, step.at + length);
  else step.bytes.copy(image, step.at);
  return () => void before.copy(image, step.at);
}

/** Where the claim words of a record are, for scenes that a dead writer left. */
export const scrubWord = (epoch: number) => ClaimLayout.ring + (epoch % ClaimLayout.records) * ClaimLayout.recordLength + ClaimLayout.scrubbing;

import type { DaxDevice } from '../device/device.ts';
import type { Region } from '../device/region.ts';
import { FamfsError } from '../errors.ts';
import { decodeLogHeader, logCapacity, LogHeader, logHeaderProblem } from '../format/log-header.ts';
import { decodeSuperblock, Superblock, superblockProblem } from '../format/superblock.ts';
import type { DataArea } from './map-check.ts';
import type { Problem } from './problem.ts';

/** What a pool's superblock and log header say, judged and clamped to the device. */
export interface Geometry extends DataArea {
  readonly superblock: Superblock;
  readonly log: Region;
  /** Slots of the log. */
  readonly capacity: number;
  /** End of what new files may use: whole allocation units inside both device and superblock. */
  readonly allocatableEnd: number;
  readonly problems: readonly Problem[];
}

/**
 * Reads superblock and log header. Throws FamfsError NOT_FAMFS when there is no superblock to speak
 * of, DAMAGED when there is one that cannot be trusted.
 */
export function readGeometry(device: DaxDevice): Geometry {
  const bytes = Buffer.from(device.superblock.bytes.subarray(0, Superblock.length));
  const problem = superblockProblem(bytes);
  const superblock = decodeSuperblock(bytes);
  if (problem !== undefined) {
    const foreign = superblock.magic !== Superblock.magic;
    throw new FamfsError(foreign ? 'NOT_FAMFS' : 'DAMAGED', `${device.path}: superblock: ${problem}`);
  }
  const { logLength, allocationUnit } = superblock;
  if (logLength < LogHeader.length || Superblock.regionLength + logLength > device.size) {
    throw new FamfsError('DAMAGED', `${device.path}: superblock: a log of ${logLength} bytes does not fit into the device's ${device.size}`);
  }
  const log = device.log(logLength);
  const header = Buffer.from(log.bytes.subarray(0, LogHeader.length));
  const headerProblem = logHeaderProblem(header) ?? lengthProblem(decodeLogHeader(header).length, logLength);
  if (headerProblem !== undefined) throw new FamfsError('DAMAGED', `${device.path}: log header: ${headerProblem}`);
  const dataStart = Math.ceil((Superblock.regionLength + logLength) / allocationUnit) * allocationUnit;
  const problems: Problem[] = [];
  if (superblock.deviceSize !== device.size) {
    const reason = `device size is ${superblock.deviceSize}; the device has ${device.size} usable bytes`;
    problems.push({ place: 'superblock', severity: 'note', reason });
  }
  const smaller = superblock.deviceSize > dataStart ? Math.min(superblock.deviceSize, device.size) : device.size;
  const units = Math.max(0, Math.floor((smaller - dataStart) / allocationUnit));
  return {
    superblock, log, allocationUnit, dataStart, problems,
    capacity: logCapacity(logLength),
    dataEnd: device.size,
    allocatableEnd: dataStart + units * allocationUnit,
  };
}

function lengthProblem(inHeader: number, inSuperblock: number): string | undefined {
  return inHeader === inSuperblock ? undefined : `length is ${inHeader}, the superblock says ${inSuperblock}`;
}

export interface LogCounters {
  readonly nextSeqnum: number;
  readonly nextIndex: number;
  /** The lower half of next_index as a signed word, exact for any value. */
  readonly nextIndexLow: number;
}

/** The counters as they stand in the log now. */
export function readCounters(log: Region): LogCounters {
  const nextIndex = log.load64(LogHeader.nextIndexOffset);
  return {
    nextSeqnum: Number(log.load64(LogHeader.nextSeqnumOffset)),
    nextIndex: Number(nextIndex),
    nextIndexLow: Number(BigInt.asIntN(32, nextIndex)),
  };
}

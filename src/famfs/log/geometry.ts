import type { Run } from '../alloc/free-runs.ts';
import { poolAddress } from '../device/pool-address.ts';
import type { PoolMemory } from '../device/pool-memory.ts';
import type { Region } from '../device/region.ts';
import { FamfsError } from '../errors.ts';
import { decodeLogHeader, logCapacity, LogHeader, logHeaderProblem } from '../format/log-header.ts';
import { decodeSuperblock, foreignFormat, Superblock, superblockProblem } from '../format/superblock.ts';
import type { DataArea } from './map-check.ts';
import type { Problem } from './problem.ts';

/** What a pool's superblock and log header say, judged and clamped to the devices. */
export interface Geometry extends DataArea {
  readonly superblock: Superblock;
  readonly log: Region;
  /** Slots of the log. */
  readonly capacity: number;
  /** What new files may use, device by device: whole allocation units, inside what the superblock tells of the device too. */
  readonly allocatable: readonly Run[];
  readonly problems: readonly Problem[];
}

/**
 * Reads superblock and log header. Throws FamfsError NOT_FAMFS when there is no superblock to speak
 * of, UNSUPPORTED when it is of a later format, DAMAGED when there is one that cannot be trusted.
 */
export function readGeometry(memory: Pick<PoolMemory, 'path' | 'devices' | 'superblock' | 'log'>): Geometry {
  const { path, devices: [device] } = memory;
  const bytes = Buffer.from(memory.superblock.bytes.subarray(0, Superblock.length));
  const problem = superblockProblem(bytes);
  const superblock = decodeSuperblock(bytes);
  if (problem !== undefined) {
    const code = superblock.magic !== Superblock.magic ? 'NOT_FAMFS' : foreignFormat(bytes) !== undefined ? 'UNSUPPORTED' : 'DAMAGED';
    throw new FamfsError(code, `${path}: superblock: ${problem}`);
  }
  const { logLength, allocationUnit } = superblock;
  if (logLength < LogHeader.length || Superblock.regionLength + logLength > device.size) {
    throw new FamfsError('DAMAGED', `${path}: superblock: a log of ${logLength} bytes does not fit into the device's ${device.size}`);
  }
  const log = memory.log(logLength);
  const header = Buffer.from(log.bytes.subarray(0, LogHeader.length));
  const headerProblem = logHeaderProblem(header) ?? lengthProblem(decodeLogHeader(header).length, logLength);
  if (headerProblem !== undefined) throw new FamfsError('DAMAGED', `${path}: log header: ${headerProblem}`);
  const dataStart = Math.ceil((Superblock.regionLength + logLength) / allocationUnit) * allocationUnit;
  const problems: Problem[] = [];
  if (superblock.deviceSize !== device.size) {
    const reason = `device size is ${superblock.deviceSize}; the device has ${device.size} usable bytes`;
    problems.push({ place: 'superblock', severity: 'note', reason });
  }
  const smaller = superblock.deviceSize > dataStart ? Math.min(superblock.deviceSize, device.size) : device.size;
  const units = Math.max(0, Math.floor((smaller - dataStart) / allocationUnit));
  return {
    superblock, log, allocationUnit, problems,
    capacity: logCapacity(logLength),
    devices: [{ start: dataStart, end: device.size }],
    allocatable: [{ start: poolAddress(0, dataStart), end: poolAddress(0, dataStart + units * allocationUnit) }],
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

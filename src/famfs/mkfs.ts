import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DaxDevice } from './device/device.ts';
import { openDevice } from './device/open.ts';
import { FamfsError } from './errors.ts';
import { emptyLogHeader, LogHeader } from './format/log-header.ts';
import { decodeSuperblock, encodeSuperblock, Superblock, superblockCrc, superblockProblem } from './format/superblock.ts';
import { isUuid } from './format/struct.ts';
import { ClaimRing } from './log/claim-ring.ts';
import type { ClaimRecord } from './log/claim-ring.ts';

export interface FormatOptions {
  /** Owner of the new pool. */
  readonly clusterUuid: string;
  /** Bytes of a simulated device to make; the file must not exist, or be as large already. */
  readonly simulate?: number;
  /** Bytes of the log: a power of two, at least 8 MiB. Default: 1/1024 of the device. */
  readonly logSize?: number;
  /** Format although there is a file system already. */
  readonly force?: boolean;
  /** Told the bytes cleared and the bytes to clear. */
  readonly report?: (done: number, total: number) => void;
  /** Says of a writer's record that it is known to be stopped. */
  readonly isStopped?: (record: ClaimRecord) => boolean;
}

export interface FormatResult {
  readonly uuid: string;
  readonly size: number;
  readonly logSize: number;
  /** Files and directories that can ever be created. */
  readonly slots: number;
}

const MIB = 2 ** 20;
const CLEAR_STEP = 64 * MIB;
const HEARTBEAT_WATCH_MS = 2500;
const DEVICE_NAME_MAX = 63;

/**
 * Makes an empty famfs on a device, all of whose memory is zero afterwards.
 * Throws FamfsError DEVICE, INVALID (sizes), EXISTS (a file system, without force), IN_USE.
 */
export async function mkfs(devicePath: string, options: FormatOptions): Promise<FormatResult> {
  if (!isUuid(options.clusterUuid)) throw new FamfsError('INVALID', `"${options.clusterUuid}" is not the UUID of a cluster`);
  const isNew = options.simulate !== undefined && makeSparse(devicePath, options.simulate, options.logSize);
  try {
    const device = openDevice(devicePath, { lock: 'exclusive' });
    try {
      return await format(device, options, isNew);
    } finally {
      device.close();
    }
  } catch (error) {
    if (isNew) fs.rmSync(devicePath, { force: true });
    throw error;
  }
}

/** Smallest device for a log of that size: superblock, log and one allocation unit. */
export function smallestDevice(logSize: number): number {
  return Superblock.regionLength + logSize + Superblock.allocationUnit;
}

/** The default log: 1/1024 of the device, a power of two, at least 8 MiB. */
export function defaultLogSize(deviceSize: number): number {
  return Math.max(LogHeader.minimumLogLength, 2 ** Math.floor(Math.log2(deviceSize / 1024)));
}

async function format(device: DaxDevice, options: FormatOptions, isNew: boolean): Promise<FormatResult> {
  const logSize = checkLogSize(device.path, device.size, options.logSize);
  if (!isNew) await refuseLiveFileSystem(device, options);
  const uuid = randomUUID();
  const { superblock } = device;
  superblock.store64(0, 0n); // from here on there is no file system, until the last store
  superblock.fence();
  if (!isNew) clear(device, options.report ?? (() => {}));
  const header = emptyLogHeader(logSize);
  device.log(logSize).store(0, header);
  const bytes = encodeSuperblock({
    magic: Superblock.magic, version: Superblock.version, logOffset: Superblock.regionLength, logLength: logSize,
    allocationUnit: Superblock.allocationUnit, omfMajor: Superblock.omfMajor, omfMinor: Superblock.omfMinor,
    uuid, deviceUuid: randomUUID(), systemUuid: options.clusterUuid.toLowerCase(), crc: 0, flags: 0,
    deviceSize: device.size, daxdevUuid: '00000000-0000-0000-0000-000000000000', deviceName: cut(device.path),
  });
  bytes.writeBigUInt64LE(BigInt(superblockCrc(bytes)), Superblock.crcLength);
  superblock.store(8, bytes.subarray(8));
  superblock.fence();
  superblock.store64(0, bytes.readBigUInt64LE(0));
  superblock.fence();
  return { uuid, size: device.size, logSize, slots: Math.floor((logSize - LogHeader.length) / 544) };
}

/** Zeroes everything but the magic, which is zero already. */
function clear(device: DaxDevice, report: (done: number, total: number) => void): void {
  device.superblock.zero(8, device.superblock.length - 8);
  for (let at: number = Superblock.regionLength; at < device.size; at += CLEAR_STEP) {
    const length = Math.min(CLEAR_STEP, device.size - at);
    device.zero(at, length);
    report(at + length, device.size);
  }
}

async function refuseLiveFileSystem(device: DaxDevice, options: FormatOptions): Promise<void> {
  const bytes = Buffer.from(device.superblock.bytes.subarray(0, Superblock.length));
  const problem = superblockProblem(bytes);
  const found = decodeSuperblock(bytes);
  const otherVersion = found.magic === Superblock.magic && found.version !== Superblock.version;
  if (problem !== undefined && !otherVersion) return;
  if (!options.force) {
    const what = otherVersion ? `a famfs of version ${found.version}` : `the famfs ${found.uuid}`;
    throw new FamfsError('EXISTS', `${device.path} holds ${what}; --force destroys it`);
  }
  const ring = new ClaimRing(device.superblock, found.uuid);
  const rival = ring.ruling();
  if (rival === undefined || rival.closed || options.isStopped?.(rival)) return;
  await sleep(HEARTBEAT_WATCH_MS);
  const now = ring.ruling();
  if (now?.head.epoch !== rival.head.epoch || now.heartbeat !== rival.heartbeat) {
    throw new FamfsError('IN_USE', `${device.path} is being written to by ${now?.head.holder}; stop it first`);
  }
}

/** Makes a sparse file; false when there is one of that size already. */
function makeSparse(file: string, size: number, logSize: number | undefined): boolean {
  if (!Number.isSafeInteger(size) || size <= 0) throw new FamfsError('INVALID', `a device of ${size} bytes is not possible`);
  checkLogSize(file, size, logSize);
  let fd: number;
  try {
    fd = fs.openSync(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new FamfsError('DEVICE', `${file} cannot be made: ${(error as Error).message}`, { cause: error });
    }
    const stat = fs.statSync(file);
    if (!stat.isFile()) throw new FamfsError('INVALID', `${file} is not a regular file: leave --simulate out for a real device`);
    if (stat.size !== size) throw new FamfsError('EXISTS', `${file} exists with ${stat.size} bytes, not ${size}: remove it or name its size`);
    return false;
  }
  try {
    fs.ftruncateSync(fd, size);
  } catch (error) {
    fs.rmSync(file, { force: true });
    throw new FamfsError('DEVICE', `${file}: ${size} bytes are more than its file system allows`, { cause: error });
  } finally {
    fs.closeSync(fd);
  }
  return true;
}

function checkLogSize(path: string, deviceSize: number, asked: number | undefined): number {
  const logSize = asked ?? defaultLogSize(deviceSize);
  if (!Number.isInteger(Math.log2(logSize)) || logSize < LogHeader.minimumLogLength) {
    throw new FamfsError('INVALID', `a log of ${logSize} bytes is not possible: it must be a power of two of at least 8 MiB`);
  }
  if (deviceSize < smallestDevice(logSize)) {
    throw new FamfsError('INVALID', `${path}: ${deviceSize} bytes are too few; a log of ${logSize} bytes needs a device of at least ${smallestDevice(logSize)}`);
  }
  return logSize;
}

function cut(path: string): string {
  return Buffer.from(path).subarray(0, DEVICE_NAME_MAX).toString('utf8').replace(/\uFFFD$/, '');
}

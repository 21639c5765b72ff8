import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { cutToBytes } from '../cut-text.ts';
import type { DaxDevice } from '../device/device.ts';
import { openDevice } from '../device/open.ts';
import { FamfsError } from '../errors.ts';
import { ClaimLayout } from '../format/claim-record.ts';
import { emptyLogHeader, LogHeader } from '../format/log-header.ts';
import { isUuid } from '../format/struct.ts';
import { encodeSuperblock, Superblock, superblockCrc } from '../format/superblock.ts';
import type { ClaimRecord } from '../log/claim-ring.ts';
import { MIB } from '../units.ts';
import { RivalWatch } from '../writer/claim/rival-watch.ts';
import { describeExisting } from './existing.ts';
import { Formatting } from './formatting.ts';
import { drawLogLife } from './log-life.ts';
import { makeSparse } from './simulated-file.ts';

export interface FormatOptions {
  /** Owner of the new pool. */
  readonly clusterUuid: string;
  /** Bytes of a simulated device to make; the file must not exist, or be as large already and ours alone. */
  readonly simulate?: number;
  /** Bytes of the log: a power of two, at least 8 MiB. Default: 1/1024 of the device. */
  readonly logSize?: number;
  /** Format although there is a file system already, or what is left of one, or an unfinished formatting. */
  readonly force?: boolean;
  /** Format only where superblock region and log are all zero, whatever else would be allowed. */
  readonly onlyEmpty?: boolean;
  /** Told the bytes cleared and the bytes to clear. */
  readonly report?: (done: number, total: number) => void;
  /** Says of a writer's record that it is known to be stopped. */
  readonly isStopped?: (record: ClaimRecord) => boolean;
  /** The operator's word that every former writer is stopped; one of another cluster must look so too. */
  readonly assumeStopped?: boolean;
}

export interface FormatResult {
  readonly uuid: string;
  readonly size: number;
  readonly logSize: number;
  /** Files and directories that can ever be created. */
  readonly slots: number;
}

/** Bytes cleared between two looks at the marker: what a formatting that was overtaken can still destroy. */
const CLEAR_STEP = 2 * MIB;
const SUPERBLOCK_STEP = 65536;
const REPORT_STEP = 64 * MIB;
/** The largest log that a reader indexes: 8 GiB, 15.8 million creations. */
const MAXIMUM_LOG = 2 ** 33;
const DEVICE_NAME_MAX = 63;

/**
 * Makes an empty famfs on a device, all of whose memory is zero afterwards.
 * Throws FamfsError DEVICE, INVALID (sizes), EXISTS (a file system, or what may be one, without
 * force; a simulated device that is somebody else's), IN_USE (a writer lives, or another formatting has
 * begun meanwhile).
 */
export async function mkfs(devicePath: string, options: FormatOptions): Promise<FormatResult> {
  if (!isUuid(options.clusterUuid)) throw new FamfsError('INVALID', `"${options.clusterUuid}" is not the UUID of a cluster`);
  const simulated = options.simulate === undefined ? undefined : simulatedDevice(devicePath, options.simulate, options.logSize);
  const isNew = simulated?.isNew ?? false;
  try {
    const device = openDevice(devicePath, { lock: 'exclusive', ...(simulated === undefined ? {} : { judge: simulated.judge }) });
    try {
      return await formatDevice(device, options, isNew);
    } finally {
      device.close();
    }
  } catch (error) {
    const taken = error instanceof FamfsError && (error.code === 'IN_USE' || error.code === 'EXISTS');
    if (isNew && !taken) fs.rmSync(devicePath, { force: true });
    throw error;
  }
}

/** Smallest device for a log of that size: superblock, log and one allocation unit. */
export function smallestDevice(logSize: number): number {
  return Superblock.regionLength + logSize + Superblock.allocationUnit;
}

/** The default log: 1/1024 of the device, a power of two, at least 8 MiB and at most 8 GiB. */
export function defaultLogSize(deviceSize: number): number {
  const share = 2 ** Math.floor(Math.log2(deviceSize / 1024));
  return Math.min(Math.max(LogHeader.minimumLogLength, share), MAXIMUM_LOG);
}

/**
 * Formats an open device; `isNew` says that its memory is zero and nobody else's. Throws as mkfs does.
 */
export async function formatDevice(device: DaxDevice, options: FormatOptions, isNew: boolean): Promise<FormatResult> {
  const logSize = checkLogSize(device.path, device.size, options.logSize);
  if (options.onlyEmpty) mustBeEmpty(device, logSize);
  const formatting = new Formatting(device);
  const existing = describeExisting(formatting.judged);
  if (existing !== undefined && !options.force) throw new FamfsError('EXISTS', `${device.path} ${existing}`);
  const stillQuiet = await refuseRivals(device, options);
  formatting.begin(stillQuiet);
  if (!isNew) {
    formatting.clearSuperblock(SUPERBLOCK_STEP);
    clearData(device, formatting, options.report ?? (() => {}));
  }
  formatting.mustGoOn();
  device.log(logSize).store(0, emptyLogHeader(logSize));
  const uuid = randomUUID();
  const bytes = encodeSuperblock({
    magic: Superblock.magic, version: Superblock.version, logOffset: Superblock.regionLength, logLength: logSize,
    allocationUnit: Superblock.allocationUnit, omfMajor: Superblock.omfMajor, omfMinor: Superblock.omfMinor,
    uuid, deviceUuid: randomUUID(), systemUuid: options.clusterUuid.toLowerCase(), crc: 0, flags: 0,
    deviceSize: device.size, daxdevUuid: '00000000-0000-0000-0000-000000000000', deviceName: cutToBytes(device.path, DEVICE_NAME_MAX),
  });
  bytes.writeBigUInt64LE(BigInt(superblockCrc(bytes)), Superblock.crcLength);
  formatting.mustGoOn();
  device.superblock.store64(ClaimLayout.logLife, drawLogLife());
  formatting.end(bytes);
  return { uuid, size: device.size, logSize, slots: Math.floor((logSize - LogHeader.length) / 544) };
}

/** Zeroes everything behind the superblock region. */
function clearData(device: DaxDevice, formatting: Formatting, report: (done: number, total: number) => void): void {
  for (let at: number = Superblock.regionLength; at < device.size; at += CLEAR_STEP) {
    const end = Math.min(at + CLEAR_STEP, device.size);
    formatting.mustGoOn();
    device.zero(at, end - at);
    if (end % REPORT_STEP === 0 || end === device.size) report(end, device.size);
  }
}

/** Throws IN_USE when a writer gives signs of life. Returns a function that looks once more. */
async function refuseRivals(device: DaxDevice, options: FormatOptions): Promise<() => void> {
  const isStopped = (record: ClaimRecord) => options.isStopped?.(record) ||
    (options.assumeStopped === true && record.head.clusterUuid === options.clusterUuid.toLowerCase());
  const watch = new RivalWatch(device.superblock, isStopped);
  const scrubber = watch.open().find(({ scrubbing }) => scrubbing !== 0n);
  if (scrubber !== undefined && !options.assumeStopped) {
    throw new FamfsError('IN_USE', `${device.path}: ${scrubber.head.holder} may still be clearing memory here; ` +
      'stop it first, or say --assume-stopped if it has ended');
  }
  const refuse = (who: string | undefined) => {
    if (who !== undefined) throw new FamfsError('IN_USE', `${device.path} is being written to by ${who}; stop it first`);
  };
  refuse(await watch.wait());
  return () => refuse(watch.moved());
}

function simulatedDevice(file: string, size: number, logSize: number | undefined): ReturnType<typeof makeSparse> {
  if (!Number.isSafeInteger(size) || size <= 0) throw new FamfsError('INVALID', `${file}: a device of ${size} bytes is not possible`);
  checkLogSize(file, size, logSize);
  return makeSparse(file, size);
}

function checkLogSize(path: string, deviceSize: number, asked: number | undefined): number {
  const logSize = asked ?? defaultLogSize(deviceSize);
  if (!Number.isInteger(Math.log2(logSize)) || logSize < LogHeader.minimumLogLength) {
    throw new FamfsError('INVALID', `${path}: a log of ${logSize} bytes is not possible: it must be a power of two of at least 8 MiB`);
  }
  if (logSize > MAXIMUM_LOG) throw new FamfsError('INVALID', `a log of ${logSize} bytes is too large: at most ${MAXIMUM_LOG} are supported`);
  if (deviceSize < smallestDevice(logSize)) {
    throw new FamfsError('INVALID', `${path}: ${deviceSize} bytes are too few; a log of ${logSize} bytes needs a device of at least ${smallestDevice(logSize)}`);
  }
  return logSize;
}

function mustBeEmpty(device: DaxDevice, logSize: number): void {
  const { superblock, path } = device;
  if ([superblock, device.log(logSize)].every(({ bytes }) => isZero(bytes))) return;
  const known = describeExisting(Buffer.from(superblock.bytes.subarray(0, Superblock.regionLength)));
  throw new FamfsError('EXISTS', `${path} ${known ?? 'is not empty: its superblock region or log is not all zero; "famfs-csi mkfs" makes a famfs of it all the same'}`);
}

function isZero(bytes: Uint8Array): boolean {
  const zeros = Buffer.alloc(Math.min(bytes.length, CLEAR_STEP));
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length);
    if (zeros.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}

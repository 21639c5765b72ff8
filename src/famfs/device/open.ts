import fs from 'node:fs';
import path from 'node:path';
import { FamfsError } from '../errors.ts';
import { daxModeProblem } from './dax-mode.ts';
import type { DeviceHandle, MappedDax } from './device.ts';
import { mapShared, tryLock, unlock } from './libc.ts';
import { MappedDevice, SUPERBLOCK_LENGTH } from './mapped-device.ts';
import { DEVICE_SPAN } from './pool-address.ts';

export interface OpenOptions {
  /** Map for reading and writing (default), or for reading alone. */
  readonly writable?: boolean;
  /**
   * `shared` (default) says "in use" to others on this host; `exclusive` fails with IN_USE while
   * anyone else has the device open. `none` is for who only looks, and keeps nobody from formatting the
   * device later; while that is under way, it fails like `shared`.
   */
  readonly lock?: 'shared' | 'exclusive' | 'none';
  /** Throws unless what was opened may be used. Where it is given, the path may be no symbolic link. */
  readonly judge?: (stat: fs.Stats) => void;
}

const PAGE = 4096;
/** O_NONBLOCK: a pipe is refused as what it is, without waiting for who opens its other end. */
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;
const hints: Record<string, string> = { ENOENT: 'no such device', ELOOP: 'is a symbolic link: name what it leads to' };

/**
 * Opens and maps a device: a regular file, or a character device of the dax subsystem.
 * Throws FamfsError DEVICE (missing, wrong kind, cannot be mapped), IN_USE, READ_ONLY, UNSUPPORTED.
 */
export function openDevice(devicePath: string, options: OpenOptions = {}): MappedDax {
  if (process.arch !== 'x64') {
    throw new FamfsError('UNSUPPORTED', `famfs on ${process.arch} is not supported: its memory ordering is untested; use x86-64`);
  }
  const writable = options.writable ?? true;
  const fd = openFile(devicePath, writable, options.judge === undefined ? 0 : O_NOFOLLOW);
  try {
    options.judge?.(fs.fstatSync(fd));
    const geometry = measure(devicePath, fd);
    const { lock = 'shared' } = options;
    if (!tryLock(fd, lock === 'none' ? 'shared' : lock)) {
      const why = lock === 'exclusive' ? 'unmount it, and stop its controller and all other commands on it, first'
        : 'it is being formatted or adopted; wait until that has ended';
      throw new FamfsError('IN_USE', `${devicePath} is in use on this host: ${why}`);
    }
    if (lock === 'none') unlock(fd);
    const address = map(devicePath, fd, geometry, writable);
    return new MappedDevice({ path: devicePath, ...geometry, writable, address }, fd);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** The same device in another thread of the process that opened it; closing it there does nothing. */
export function attachDevice(handle: DeviceHandle): MappedDax {
  return new MappedDevice(handle);
}

function openFile(devicePath: string, writable: boolean, moreFlags: number): number {
  try {
    return fs.openSync(devicePath, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | moreFlags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EROFS' || (writable && code === 'EACCES')) {
      throw new FamfsError('READ_ONLY', `${devicePath} cannot be opened for writing (${code})`, { cause: error });
    }
    if (code === 'EISDIR') throw directoryError(devicePath, error);
    const hint = hints[code ?? ''] ?? String(code ?? error);
    throw new FamfsError('DEVICE', daxModeProblem(devicePath) ?? `${devicePath}: ${hint}`, { cause: error });
  }
}

/** Maps a device; where a dax device's driver does not let it be mapped, the error says so, and what to do. */
function map(devicePath: string, fd: number, { kind, size }: Pick<DeviceHandle, 'kind' | 'size'>, writable: boolean): bigint {
  try {
    return mapShared(fd, size, writable, devicePath);
  } catch (error) {
    const problem = kind === 'devdax' ? daxModeProblem(devicePath) : undefined;
    throw problem === undefined ? error : new FamfsError('DEVICE', problem, { cause: error });
  }
}

function directoryError(devicePath: string, cause?: unknown): FamfsError {
  return new FamfsError('DEVICE', `${devicePath} is a directory, not a device or a file that simulates one`, { cause });
}

function measure(devicePath: string, fd: number): Pick<DeviceHandle, 'kind' | 'size' | 'alignment'> {
  const stat = fs.fstatSync(fd);
  let geometry: Pick<DeviceHandle, 'kind' | 'size' | 'alignment'>;
  if (stat.isFile()) geometry = { kind: 'simulated', size: stat.size, alignment: PAGE };
  else if (stat.isCharacterDevice()) geometry = measureDax(devicePath, stat.rdev);
  else if (stat.isDirectory()) throw directoryError(devicePath);
  else throw new FamfsError('DEVICE', `${devicePath} is neither a regular file nor a dax character device`);
  const size = geometry.size - (geometry.size % geometry.alignment);
  if (size <= SUPERBLOCK_LENGTH) {
    throw new FamfsError('DEVICE', `${devicePath} has ${geometry.size} bytes: too small for the 2 MiB superblock region and a log`);
  }
  if (size > DEVICE_SPAN) {
    throw new FamfsError('UNSUPPORTED', `${devicePath} has ${geometry.size} bytes; at most ${DEVICE_SPAN} are supported`);
  }
  return { ...geometry, size };
}

/** Size and mapping alignment of a character device, as the kernel's dax class tells them. */
function measureDax(devicePath: string, rdev: number): Pick<DeviceHandle, 'kind' | 'size' | 'alignment'> {
  const sysfs = `/sys/dev/char/${major(rdev)}:${minor(rdev)}`;
  const name = realName(sysfs);
  if (!name?.startsWith('dax')) {
    throw new FamfsError('DEVICE', `${devicePath} is a character device, but not one of the dax subsystem`);
  }
  return { kind: 'devdax', size: readNumber(`${sysfs}/size`), alignment: readNumber(`/sys/bus/dax/devices/${name}/align`) };
}

function realName(link: string): string | undefined {
  try {
    return path.basename(fs.realpathSync(link));
  } catch {
    return undefined;
  }
}

function readNumber(file: string): number {
  const value = Number(fs.readFileSync(file, 'utf8').trim());
  if (!Number.isSafeInteger(value) || value <= 0) throw new FamfsError('DEVICE', `${file} holds no positive number`);
  return value;
}

/** Linux packs device numbers as minor[7:0], major[11:0] << 8, minor[19:8] << 12. */
const major = (rdev: number) => (rdev >>> 8) & 0xfff;
const minor = (rdev: number) => (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);

import type { Region } from './region.ts';
import type { ZeroCheck } from './zero-check.ts';

/** `simulated` is a regular file (tmpfs, hugetlbfs or disk), `devdax` a real /dev/daxX.Y. */
export type DeviceKind = 'simulated' | 'devdax';

/** What another thread of the same process needs to use an open device. Can be structured-cloned. */
export interface DeviceHandle {
  readonly path: string;
  readonly kind: DeviceKind;
  /** Usable bytes: a multiple of `alignment`. */
  readonly size: number;
  readonly alignment: number;
  readonly writable: boolean;
  /** Where it is mapped in this process. */
  readonly address: bigint;
}

/**
 * One device of shared memory. Metadata (superblock and log) is reached through regions, everything
 * behind the superblock by reading, writing and zeroing ranges, so that a device that cannot be mapped
 * can serve too. Offsets are bytes from the device's beginning. All accesses are bounds-checked:
 * RangeError outside the device or in the superblock.
 */
export interface DaxDevice extends Omit<DeviceHandle, 'address'> {
  /** The superblock region: the first 2 MiB. */
  readonly superblock: Region;
  /** The log region, which follows the superblock. Throws FamfsError INVALID if it does not fit. */
  log(length: number): Region;
  /** Copies bytes out. */
  read(offset: number, into: Uint8Array): void;
  /** Copies bytes in. Throws FamfsError READ_ONLY. */
  write(offset: number, bytes: Uint8Array): void;
  /** Makes a range read as zeros. Throws FamfsError READ_ONLY. */
  zero(offset: number, length: number): void;
  /** The same in another thread, while this one goes on. The memory stays mapped until it has ended. */
  zeroAside(offset: number, length: number): Promise<void>;
  /** Whether a range is zero. */
  checkZero(offset: number, length: number): ZeroCheck;
  /** The same in another thread, while this one goes on. The memory stays mapped until it has ended. */
  checkZeroAside(offset: number, length: number): Promise<ZeroCheck>;
  /** Whether a range, of the superblock too, can be read at this moment, asked without the signal that ends who tries in vain. */
  isReadable(offset: number, length: number): boolean;
  /** Whether the device was closed. */
  readonly closed: boolean;
  /** Ends the use of the device. Regions and views must not be used afterwards. */
  close(): void;
}

/** A device that is mapped into this process. */
export interface MappedDax extends DaxDevice {
  /** Memory behind the superblock: a view without copy. */
  view(offset: number, length: number): Uint8Array;
  handle(): DeviceHandle;
}

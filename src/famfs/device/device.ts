import type { Region } from './region.ts';

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
  readonly address: bigint;
}

/**
 * Memory that several hosts share. Code above asks for regions (superblock, log, a file's
 * extents), never for the whole, so that a device without raw access can serve it too.
 * Every region is bounds-checked; memory outside the device cannot be reached.
 */
export interface DaxDevice extends Omit<DeviceHandle, 'address'> {
  /** The superblock region: the first 2 MiB. */
  readonly superblock: Region;
  /** The log region, which follows the superblock. Throws FamfsError INVALID if it does not fit. */
  log(length: number): Region;
  /** Memory of a file: a view without copy. Throws RangeError outside the device or in the superblock. */
  extent(offset: number, length: number): Uint8Array;
  /** Makes a range behind the superblock read as zeros. */
  zero(offset: number, length: number): void;
  /** The same in another thread, while this one goes on. The memory stays mapped until it has ended. */
  zeroAside(offset: number, length: number): Promise<void>;
  handle(): DeviceHandle;
  /** Whether the memory has been unmapped. */
  readonly closed: boolean;
  /** Unmaps the memory. Regions and extents must not be used afterwards. */
  close(): void;
}

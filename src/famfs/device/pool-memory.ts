import type { DeviceHandle, MappedDax } from './device.ts';
import { attachDevice } from './open.ts';
import { deviceOf, offsetOf, poolAddress } from './pool-address.ts';
import type { Region } from './region.ts';
import type { ZeroCheck } from './zero-check.ts';

/**
 * The memory of a pool, as what manages it sees it: superblock and log as regions, all else as ranges
 * of pool addresses that are read, written and zeroed. Nothing here says that the memory is mapped.
 * A range must lie on one device, behind its superblock where nothing else is said: RangeError otherwise.
 */
export interface PoolMemory {
  /** Path of the first device, for messages. */
  readonly path: string;
  readonly writable: boolean;
  /** The devices, by their index in the pool: sizes in bytes. */
  readonly devices: readonly Pick<DeviceHandle, 'path' | 'size' | 'alignment'>[];
  /** The superblock region of the first device. */
  readonly superblock: Region;
  /** The log region, which follows it. Throws FamfsError INVALID if it does not fit. */
  log(length: number): Region;
  /** Copies bytes out. */
  read(address: number, into: Uint8Array): void;
  /** Copies bytes in. Throws FamfsError READ_ONLY. */
  write(address: number, bytes: Uint8Array): void;
  /** Makes a range read as zeros. Throws FamfsError READ_ONLY. */
  zero(address: number, length: number): void;
  /** The same in another thread, while this one goes on. The memory can be used until it has ended. */
  zeroAside(address: number, length: number): Promise<void>;
  /** Whether a range is zero. */
  checkZero(address: number, length: number): ZeroCheck;
  /** The same in another thread, while this one goes on. The memory can be used until it has ended. */
  checkZeroAside(address: number, length: number): Promise<ZeroCheck>;
  /** Whether a range, of the superblock too, can be read at this moment, asked without the signal that ends who tries in vain. */
  isReadable(address: number, length: number): boolean;
  /** Whether it was closed. */
  readonly closed: boolean;
  /** Ends the use of the devices. Regions and windows must not be used afterwards. */
  close(): void;
}

/** A range of a pool's memory that is mapped into this process. */
export interface Window {
  /** Pool address of the first byte. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What another thread of the same process needs to use the memory. Can be structured-cloned. */
export interface MemoryHandle {
  readonly devices: readonly DeviceHandle[];
}

/** The memory of a pool whose devices are all mapped into this process: what serving needs besides. */
export class MappedMemory implements PoolMemory {
  readonly devices: readonly MappedDax[];
  readonly #first: MappedDax;

  /** `devices`: open, by their index in the pool. They are closed with this. */
  constructor(devices: readonly MappedDax[]) {
    this.devices = devices;
    this.#first = devices[0];
  }

  /** The same memory in another thread of the process that opened it; closing it there does nothing. */
  static attach({ devices }: MemoryHandle): MappedMemory {
    return new MappedMemory(devices.map(attachDevice));
  }

  get path(): string {
    return this.#first.path;
  }

  get writable(): boolean {
    return this.#first.writable;
  }

  get superblock(): Region {
    return this.#first.superblock;
  }

  log(length: number): Region {
    return this.#first.log(length);
  }

  read(address: number, into: Uint8Array): void {
    this.#device(address).read(offsetOf(address), into);
  }

  write(address: number, bytes: Uint8Array): void {
    this.#device(address).write(offsetOf(address), bytes);
  }

  zero(address: number, length: number): void {
    this.#device(address).zero(offsetOf(address), length);
  }

  async zeroAside(address: number, length: number): Promise<void> {
    await this.#device(address).zeroAside(offsetOf(address), length);
  }

  checkZero(address: number, length: number): ZeroCheck {
    return this.#device(address).checkZero(offsetOf(address), length);
  }

  async checkZeroAside(address: number, length: number): Promise<ZeroCheck> {
    return await this.#device(address).checkZeroAside(offsetOf(address), length);
  }

  isReadable(address: number, length: number): boolean {
    return this.#device(address).isReadable(offsetOf(address), length);
  }

  /** A range as it is mapped: a view, no copy. */
  window(address: number, length: number): Window {
    return { address, bytes: this.#device(address).view(offsetOf(address), length) };
  }

  handle(): MemoryHandle {
    return { devices: this.devices.map((device) => device.handle()) };
  }

  get closed(): boolean {
    return this.#first.closed;
  }

  close(): void {
    for (const device of this.devices) device.close();
  }

  #device(address: number): MappedDax {
    const device = this.devices[deviceOf(address)];
    if (device === undefined) throw new RangeError(`${this.path}: address ${address} is on device ${deviceOf(address)}; there are ${this.devices.length}`);
    return device;
  }
}

/** The end of the device that an address is on, as an address: a file's last unit may reach past it. */
export function deviceEnd({ devices }: Pick<PoolMemory, 'devices'>, address: number): number {
  const device = deviceOf(address);
  return poolAddress(device, devices[device].size);
}

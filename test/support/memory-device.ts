import type { DeviceHandle, MappedDax } from '../../src/famfs/device/device.ts';
import type { PoolMemory } from '../../src/famfs/device/pool-memory.ts';
import { Region } from '../../src/famfs/device/region.ts';
import type { ZeroCheck } from '../../src/famfs/device/zero-check.ts';
import { FamfsError } from '../../src/famfs/errors.ts';

const SUPERBLOCK_LENGTH = 0x200000;

/**
 * A device of which only superblock and log exist, as memory of this process. It claims to be as
 * large as is wanted: a replay reads nothing else.
 */
export class MemoryDevice implements MappedDax, PoolMemory {
  readonly path = 'memory';
  readonly kind = 'simulated';
  readonly alignment = 4096;
  readonly writable = true;
  readonly closed = false;
  size: number;
  /** The one device of a pool: its offsets are the pool's addresses. */
  readonly devices: readonly MappedDax[] = [this];
  readonly superblock: Region;
  /** All of the memory: superblock region, then log. */
  readonly bytes: Buffer;
  readonly #memory: ArrayBuffer;
  #log: Region | undefined;

  /** `logRoom`: the longest log that can be there. */
  constructor(size: number, logRoom: number) {
    this.size = size;
    this.#memory = new ArrayBuffer(SUPERBLOCK_LENGTH + logRoom);
    this.bytes = Buffer.from(this.#memory);
    this.superblock = new Region('superblock', this.#memory, 0, SUPERBLOCK_LENGTH, true);
  }

  log(length: number): Region {
    if (this.#log?.length === length) return this.#log;
    if (SUPERBLOCK_LENGTH + length > this.bytes.length) throw new FamfsError('INVALID', `this device has no room for a log of ${length} bytes`);
    this.#log = new Region('log', this.#memory, SUPERBLOCK_LENGTH, length, true);
    return this.#log;
  }

  view(offset: number, length: number): Uint8Array {
    throw new RangeError(`${length} bytes at ${offset}: this device has no data`);
  }

  read(offset: number, into: Uint8Array): void {
    this.view(offset, into.length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.view(offset, bytes.length);
  }

  isReadable(): boolean {
    return false;
  }

  /** What does not exist was never written. */
  checkZero(): ZeroCheck {
    return { isZero: true, readBytes: 0 };
  }

  checkZeroAside(): Promise<ZeroCheck> {
    return Promise.resolve(this.checkZero());
  }

  zero(offset: number, length: number): void {
    throw new RangeError(`${length} bytes at ${offset}: this device has no data`);
  }

  zeroAside(offset: number, length: number): Promise<void> {
    return Promise.reject(new RangeError(`${length} bytes at ${offset}: this device has no data`));
  }

  handle(): DeviceHandle {
    throw new Error('this device is of one thread');
  }

  close(): void {}
}

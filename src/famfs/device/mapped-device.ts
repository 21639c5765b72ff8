import fs from 'node:fs';
import { FamfsError } from '../errors.ts';
import type { DeviceHandle, DeviceKind, MappedDax } from './device.ts';
import { isReadable, punchHole, punchHoleAside, unmap, viewOf, zeroAside } from './libc.ts';
import { Region } from './region.ts';
import { type CheckedMapping, checkZero, checkZeroAside, type ZeroCheck } from './zero-check.ts';

/** Where the superblock region ends and the log begins; fixed by the format. */
export const SUPERBLOCK_LENGTH = 0x200000;

/** A device that is one mapping of this process. `fd` is absent in threads that only attached. */
export class MappedDevice implements MappedDax {
  readonly path: string;
  readonly kind: DeviceKind;
  readonly size: number;
  readonly alignment: number;
  readonly writable: boolean;
  readonly superblock: Region;
  readonly #memory: ArrayBuffer;
  readonly #address: bigint;
  readonly #fd: number | undefined;
  /** Threads that are at work in the memory. */
  #aside = 0;
  #closed = false;

  constructor(handle: DeviceHandle, fd?: number) {
    this.path = handle.path;
    this.kind = handle.kind;
    this.size = handle.size;
    this.alignment = handle.alignment;
    this.writable = handle.writable;
    this.#address = handle.address;
    this.#fd = fd;
    this.#memory = viewOf(handle.address, handle.size);
    this.superblock = new Region(`superblock of ${this.path}`, this.#memory, 0, SUPERBLOCK_LENGTH, this.writable);
  }

  log(length: number): Region {
    if (!Number.isSafeInteger(length) || length <= 0 || SUPERBLOCK_LENGTH + length > this.size) {
      throw new FamfsError('INVALID', `${this.path}: a log of ${length} bytes does not fit into ${this.size} bytes`);
    }
    return new Region(`log of ${this.path}`, this.#memory, SUPERBLOCK_LENGTH, length, this.writable);
  }

  view(offset: number, length: number): Uint8Array {
    this.#mustBeData(offset, length);
    return new Uint8Array(this.#memory, offset, length);
  }

  read(offset: number, into: Uint8Array): void {
    into.set(this.view(offset, into.length));
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#mustBeWritable();
    this.view(offset, bytes.length).set(bytes);
  }

  zero(offset: number, length: number): void {
    this.#mustBeData(offset, length);
    this.#mustBeWritable();
    if (this.kind === 'simulated' && this.#fd !== undefined && punchHole(this.#fd, offset, length)) return;
    new Uint8Array(this.#memory, offset, length).fill(0);
  }

  async zeroAside(offset: number, length: number): Promise<void> {
    this.#mustBeData(offset, length);
    this.#mustBeWritable();
    await this.#whileMapped(async () => {
      if (this.kind === 'simulated' && this.#fd !== undefined && await punchHoleAside(this.#fd, offset, length)) return;
      await zeroAside(this.#address + BigInt(offset), length);
    });
  }

  checkZero(offset: number, length: number): ZeroCheck {
    this.#mustBeData(offset, length);
    return checkZero(this.#checked, offset, length);
  }

  async checkZeroAside(offset: number, length: number): Promise<ZeroCheck> {
    this.#mustBeData(offset, length);
    return await this.#whileMapped(() => checkZeroAside(this.#checked, offset, length));
  }

  isReadable(offset: number, length: number): boolean {
    this.#mustBeWithin(0, offset, length);
    return isReadable(this.#address, offset, length);
  }

  get closed(): boolean {
    return this.#closed;
  }

  handle(): DeviceHandle {
    const { path, kind, size, alignment, writable } = this;
    return { path, kind, size, alignment, writable, address: this.#address };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unmap();
  }

  /** Holes tell something of regular files alone. */
  get #checked(): CheckedMapping {
    return { address: this.#address, fd: this.kind === 'simulated' ? this.#fd : undefined };
  }

  /** Work of other threads in the memory: it stays mapped meanwhile. */
  async #whileMapped<T>(work: () => Promise<T>): Promise<T> {
    this.#aside++;
    try {
      return await work();
    } finally {
      this.#aside--;
      if (this.#closed) this.#unmap();
    }
  }

  /** Once nobody is at work in the memory. */
  #unmap(): void {
    if (this.#fd === undefined || this.#aside > 0) return;
    unmap(this.#address, this.size);
    fs.closeSync(this.#fd);
  }

  #mustBeWritable(): void {
    if (!this.writable) throw new FamfsError('READ_ONLY', `${this.path}: the device was opened read-only`);
  }

  #mustBeData(offset: number, length: number): void {
    this.#mustBeWithin(SUPERBLOCK_LENGTH, offset, length);
  }

  #mustBeWithin(start: number, offset: number, length: number): void {
    const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && length >= 0 && offset >= start && offset + length <= this.size;
    if (!fits) throw new RangeError(`${this.path}: ${length} bytes at ${offset} are not within ${start} and ${this.size}`);
  }
}

import { FamfsError } from '../errors.ts';

const privateWord = new Int32Array(1);

/**
 * A bounded piece of shared memory. Everything that is written to a pool's metadata goes through
 * the stores of this class, so that their order is visible in one place.
 *
 * Offsets are bytes from the region's beginning. Words are little-endian, as the format wants and
 * x86-64 stores them; a misplaced access throws RangeError, since it is a mistake of ours.
 */
export class Region {
  /** The memory itself, for reading. Its content may change at any time. */
  readonly bytes: Buffer;
  readonly length: number;
  readonly writable: boolean;
  readonly #name: string;
  readonly #u32: Uint32Array;
  readonly #u64: BigUint64Array;

  constructor(name: string, memory: ArrayBuffer, offset: number, length: number, writable: boolean) {
    this.#name = name;
    this.bytes = Buffer.from(memory, offset, length);
    this.length = length;
    this.writable = writable;
    this.#u32 = new Uint32Array(memory, offset, Math.floor(length / 4));
    this.#u64 = new BigUint64Array(memory, offset, Math.floor(length / 8));
  }

  /** One atomic load of an aligned 4-byte word. */
  load32(offset: number): number {
    return Atomics.load(this.#u32, this.#at(offset, 4));
  }

  /** One atomic load of an aligned 8-byte word: never torn. */
  load64(offset: number): bigint {
    return Atomics.load(this.#u64, this.#at(offset, 8));
  }

  /** One atomic store of an aligned 8-byte word, ordered after every earlier store. */
  store64(offset: number, value: bigint): void {
    this.#mustBeWritable();
    Atomics.store(this.#u64, this.#at(offset, 8), value);
  }

  /** Copies bytes in; readers may see them in any order until the next store64 or fence. */
  store(offset: number, bytes: Uint8Array): void {
    this.#mustBeWritable();
    this.#at(offset, 1, bytes.length);
    this.bytes.set(bytes, offset);
  }

  /** Zeroes a range; ordered like `store`. */
  zero(offset: number, length: number): void {
    this.#mustBeWritable();
    this.#at(offset, 1, length);
    this.bytes.fill(0, offset, offset + length);
  }

  /** Full fence: every earlier store is visible to all before any later load. */
  fence(): void {
    Atomics.exchange(privateWord, 0, 0);
  }

  #mustBeWritable(): void {
    if (!this.writable) throw new FamfsError('READ_ONLY', `${this.#name}: the device was opened read-only`);
  }

  #at(offset: number, unit: number, length = unit): number {
    if (!Number.isInteger(offset) || offset < 0 || offset % unit !== 0 || offset + length > this.length) {
      throw new RangeError(`${this.#name}: ${length} bytes at ${offset} are not inside its ${this.length} bytes`);
    }
    return offset / unit;
  }
}

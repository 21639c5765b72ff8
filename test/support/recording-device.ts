import type { DeviceHandle, MappedDax } from '../../src/famfs/device/device.ts';
import type { PoolMemory } from '../../src/famfs/device/pool-memory.ts';
import { Region } from '../../src/famfs/device/region.ts';
import type { ZeroCheck } from '../../src/famfs/device/zero-check.ts';
import { FamfsError } from '../../src/famfs/errors.ts';

/** Where the superblock region ends. */
const SUPERBLOCK_LENGTH = 0x200000;
/** What is zeroed at once counts as single words up to here, and as one store beyond. */
const BULK = 4096;
const WORD = 8;

/** What a program does to shared memory; offsets are those of the device. */
export type Step =
  /** Bytes inside one aligned word of 8; `ordered` ones are visible after everything before them. */
  | { readonly kind: 'word'; readonly at: number; readonly bytes: Buffer; readonly ordered: boolean }
  | { readonly kind: 'zero'; readonly at: number; readonly length: number }
  /** What was stored before is visible before what is stored later. */
  | { readonly kind: 'fence' };

export interface Listener {
  /** A store is about to be made. */
  readonly before?: () => void;
  /** A step was made. */
  readonly after?: (step: Step) => void;
}

/**
 * A device over any memory, of this process or mapped, that tells of each 8-byte store and each
 * ordering point. What is stored through `view` and `write` it does not see: those are the files' own bytes.
 */
export class RecordingDevice implements MappedDax, PoolMemory {
  readonly path: string;
  readonly kind = 'simulated';
  readonly alignment = 4096;
  readonly writable = true;
  readonly size: number;
  /** The one device of a pool: its offsets are the pool's addresses. */
  readonly devices: readonly MappedDax[] = [this];
  readonly superblock: Region;
  /** All of the memory. */
  readonly bytes: Buffer;
  closed = false;
  listener: Listener | undefined;
  readonly #memory: ArrayBuffer;
  readonly #tell: Required<Listener> = {
    before: () => this.listener?.before?.(),
    after: (step) => this.listener?.after?.(step),
  };

  constructor(memory: ArrayBuffer, path = 'memory') {
    this.path = path;
    this.#memory = memory;
    this.bytes = Buffer.from(memory);
    this.size = memory.byteLength;
    this.superblock = new RecordingRegion(this.#tell, memory, 0, SUPERBLOCK_LENGTH);
  }

  log(length: number): Region {
    if (SUPERBLOCK_LENGTH + length > this.size) throw new FamfsError('INVALID', `${this.path}: no room for a log of ${length} bytes`);
    return new RecordingRegion(this.#tell, this.#memory, SUPERBLOCK_LENGTH, length);
  }

  view(offset: number, length: number): Uint8Array {
    this.#mustBeData(offset, length);
    return new Uint8Array(this.#memory, offset, length);
  }

  read(offset: number, into: Uint8Array): void {
    into.set(this.view(offset, into.length));
  }

  write(offset: number, bytes: Uint8Array): void {
    this.view(offset, bytes.length).set(bytes);
  }

  isReadable(): boolean {
    return true;
  }

  checkZero(offset: number, length: number): ZeroCheck {
    return { isZero: Buffer.alloc(length).equals(this.view(offset, length)), readBytes: length };
  }

  checkZeroAside(offset: number, length: number): Promise<ZeroCheck> {
    return Promise.resolve(this.checkZero(offset, length));
  }

  zero(offset: number, length: number): void {
    this.#mustBeData(offset, length);
    this.#tell.before();
    this.bytes.fill(0, offset, offset + length);
    this.#tell.after({ kind: 'zero', at: offset, length });
  }

  zeroAside(offset: number, length: number): Promise<void> {
    this.zero(offset, length);
    return Promise.resolve();
  }

  handle(): DeviceHandle {
    throw new Error(`${this.path} is of one thread`);
  }

  close(): void {
    this.closed = true;
  }

  #mustBeData(offset: number, length: number): void {
    if (offset >= SUPERBLOCK_LENGTH && length >= 0 && offset + length <= this.size) return;
    throw new RangeError(`${this.path}: ${length} bytes at ${offset} are not data of its ${this.size} bytes`);
  }
}

/** A region that stores word by word, and tells of each. */
class RecordingRegion extends Region {
  readonly #tell: Required<Listener>;
  /** Offset of the region in the device. */
  readonly #from: number;

  constructor(tell: Required<Listener>, memory: ArrayBuffer, from: number, length: number) {
    super('recorded', memory, from, length, true);
    this.#tell = tell;
    this.#from = from;
  }

  override store64(offset: number, value: bigint): void {
    this.#tell.before();
    super.store64(offset, value);
    const bytes = Buffer.alloc(WORD);
    bytes.writeBigUInt64LE(value);
    this.#tell.after({ kind: 'word', at: this.#from + offset, bytes, ordered: true });
  }

  override store(offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + WORD - ((offset + at) % WORD));
      const word = Buffer.from(bytes.subarray(at, end));
      this.#tell.before();
      super.store(offset + at, word);
      this.#tell.after({ kind: 'word', at: this.#from + offset + at, bytes: word, ordered: false });
      at = end;
    }
  }

  override zero(offset: number, length: number): void {
    if (length <= BULK) return this.store(offset, Buffer.alloc(length));
    this.#tell.before();
    super.zero(offset, length);
    this.#tell.after({ kind: 'zero', at: this.#from + offset, length });
  }

  override fence(): void {
    super.fence();
    this.#tell.after({ kind: 'fence' });
  }
}

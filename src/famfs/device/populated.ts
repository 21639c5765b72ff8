import type { DeviceHandle } from './device.ts';
import { populate } from './libc.ts';

const PAGE = 4096;
/** The least that is faulted in at once. */
const LEAST_PIECE = 64 * 1024;

/** Marks, by piece of the device. */
const Mark = Object.freeze({ unknown: 0, present: 1, impossible: 2 } as const);

/**
 * Which pieces of a device this process has faulted in. A process that is killed while the kernel
 * faults pages in for a reply fails that reply with EIO; with the pages there, it is sent whole or not
 * at all, and another process can answer. One table for all threads of a process.
 */
export class Populated {
  readonly #device: DeviceHandle;
  readonly #piece: number;
  readonly #marks: Uint8Array;

  constructor(device: DeviceHandle, marks: SharedArrayBuffer) {
    this.#device = device;
    this.#piece = pieceOf(device);
    this.#marks = new Uint8Array(marks);
  }

  /** An empty table for a device. */
  static marks(device: DeviceHandle): SharedArrayBuffer {
    return new SharedArrayBuffer(Math.ceil(device.size / pieceOf(device)));
  }

  /** Makes sure that a window onto the device's memory is there. False where it cannot be read. */
  ensure(window: Uint8Array): boolean {
    const { byteOffset, length } = window;
    const last = Math.floor((byteOffset + length - 1) / this.#piece);
    for (let piece = Math.floor(byteOffset / this.#piece); piece <= last; piece++) {
      if (this.#marks[piece] === Mark.unknown && !this.#populate(piece) && !this.isReadable(window)) return false;
    }
    return true;
  }

  /** Whether a window can be read at this moment, asked without the signal that ends who tries in vain. */
  isReadable(window: Uint8Array): boolean {
    return isReadable(this.#device, window);
  }

  /** What was given back to the system, as by punching holes, is to be faulted in again. */
  forget(): void {
    this.#marks.fill(Mark.unknown);
  }

  #populate(piece: number): boolean {
    const { address, size } = this.#device;
    const from = piece * this.#piece;
    const failure = populate(address + BigInt(from), Math.min(this.#piece, size - from));
    if (isPresent(failure)) this.#marks[piece] = failure === '' ? Mark.present : Mark.impossible;
    return isPresent(failure);
  }
}

/** Whether so many bytes at an offset of a device's memory can be read now; without the signal that ends who tries in vain. */
export function isReadable({ address }: DeviceHandle, { byteOffset, length }: Pick<Uint8Array, 'byteOffset' | 'length'>): boolean {
  const start = byteOffset - (byteOffset % PAGE);
  return length === 0 || isPresent(populate(address + BigInt(start), byteOffset + length - start));
}

/** Before Linux 5.14, and for memory of some kinds, the kernel does not do it: nothing is known then. */
function isPresent(failure: string): boolean {
  return failure === '' || failure === 'EINVAL';
}

function pieceOf({ alignment }: DeviceHandle): number {
  return Math.max(alignment, LEAST_PIECE);
}

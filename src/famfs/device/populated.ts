import type { DeviceHandle } from './device.ts';
import { isReadable, populate } from './libc.ts';
import { deviceOf, offsetOf } from './pool-address.ts';
import type { MemoryHandle, Window } from './pool-memory.ts';

/** The least that is faulted in at once. */
const LEAST_PIECE = 64 * 1024;

/** Marks, by piece of the device. */
const Mark = Object.freeze({ unknown: 0, present: 1, impossible: 2 } as const);

/** The pieces of one device, and where its marks begin in the table. */
interface Pieces {
  readonly device: DeviceHandle;
  /** Bytes. */
  readonly length: number;
  readonly first: number;
}

/**
 * Which pieces of a pool's memory this process has faulted in. A process that is killed while the kernel
 * faults pages in for a reply fails that reply with EIO; with the pages there, it is sent whole or not
 * at all, and another process can answer. One table for all threads of a process.
 */
export class Populated {
  readonly #pieces: readonly Pieces[];
  readonly #marks: Uint8Array;

  constructor(memory: MemoryHandle, marks: SharedArrayBuffer) {
    this.#pieces = piecesOf(memory).pieces;
    this.#marks = new Uint8Array(marks);
  }

  /** An empty table for a pool's memory. */
  static marks(memory: MemoryHandle): SharedArrayBuffer {
    return new SharedArrayBuffer(piecesOf(memory).count);
  }

  /** Makes sure that a window onto the memory is there. False where it cannot be read. */
  ensure(window: Window): boolean {
    const pieces = this.#pieces[deviceOf(window.address)];
    const offset = offsetOf(window.address);
    const last = Math.floor((offset + window.bytes.length - 1) / pieces.length);
    for (let piece = Math.floor(offset / pieces.length); piece <= last; piece++) {
      if (this.#marks[pieces.first + piece] === Mark.unknown && !this.#populate(pieces, piece) && !this.isReadable(window)) return false;
    }
    return true;
  }

  /** Whether a window can be read at this moment, asked without the signal that ends who tries in vain. */
  isReadable({ address, bytes }: Window): boolean {
    return isReadable(this.#pieces[deviceOf(address)].device.address, offsetOf(address), bytes.length);
  }

  /** What was given back to the system, as by punching holes, is to be faulted in again. */
  forget(): void {
    this.#marks.fill(Mark.unknown);
  }

  #populate({ device: { address, size }, length, first }: Pieces, piece: number): boolean {
    const from = piece * length;
    const found = populate(address + BigInt(from), Math.min(length, size - from));
    if (found === 'unreadable') return false;
    this.#marks[first + piece] = found === 'present' ? Mark.present : Mark.impossible;
    return true;
  }
}

function piecesOf({ devices }: MemoryHandle): { readonly pieces: readonly Pieces[]; readonly count: number } {
  let first = 0;
  const pieces = devices.map((device) => {
    const length = Math.max(device.alignment, LEAST_PIECE);
    const of = { device, length, first };
    first += Math.ceil(device.size / length);
    return of;
  });
  return { pieces, count: first };
}

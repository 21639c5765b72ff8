import { randomUUID } from 'node:crypto';
import type { DaxDevice } from '../device/device.ts';
import type { Region } from '../device/region.ts';
import { FamfsError } from '../errors.ts';
import { encodeFormatMarker, FormatMarker } from '../format/format-marker.ts';

/** Bytes before the claim ring: superblock, the copy of it that `adopt` makes, and the marker. */
const HEAD_LENGTH = 4096;
const MARKER_END = FormatMarker.at + FormatMarker.length;

/**
 * One formatting of a device, and how it learns that another host has begun one since. It looks
 * before each small step: between a look and the stores of its step nothing can protect the other.
 */
export class Formatting {
  readonly #device: DaxDevice;
  readonly #superblock: Region;
  readonly #marker = encodeFormatMarker(randomUUID());
  /** The device's head as it stood when it was judged. */
  readonly #judged: Buffer;

  constructor(device: DaxDevice) {
    this.#device = device;
    this.#superblock = device.superblock;
    this.#judged = Buffer.from(device.superblock.bytes.subarray(0, HEAD_LENGTH));
  }

  /** What stood before the claim ring when this was made: by that the device has to be judged. */
  get judged(): Buffer {
    return this.#judged;
  }

  /**
   * Stores the marker, and takes the magic away: there is no file system from here on. Throws
   * FamfsError IN_USE, with the magic as it was, when anything was stored here since the judging.
   */
  begin(stillQuiet: () => void): void {
    const superblock = this.#superblock;
    if (!superblock.bytes.subarray(0, HEAD_LENGTH).equals(this.#judged)) throw this.#overtaken();
    superblock.store64(FormatMarker.at + FormatMarker.crcAt, 0n);
    superblock.store(FormatMarker.at, this.#marker.subarray(0, FormatMarker.crcAt));
    superblock.store64(FormatMarker.at + FormatMarker.crcAt, this.#marker.readBigUInt64LE(FormatMarker.crcAt));
    superblock.fence();
    stillQuiet();
    this.#mustStand();
    for (const [start, end] of [[0, FormatMarker.at], [MARKER_END, HEAD_LENGTH]]) {
      if (!superblock.bytes.subarray(start, end).equals(this.#judged.subarray(start, end))) throw this.#overtaken();
    }
    superblock.store64(0, 0n);
    superblock.fence();
  }

  /** To be called before each step. Throws FamfsError IN_USE when another formatting has begun, or ended, since. */
  mustGoOn(): void {
    this.#mustStand();
    if (this.#superblock.load64(0) !== 0n) throw this.#overtaken();
  }

  /** Zeroes the superblock region but for the marker, and the magic, which is zero already. */
  clearSuperblock(step: number): void {
    const superblock = this.#superblock;
    for (const [start, end] of [[8, FormatMarker.at], [MARKER_END, superblock.length]]) {
      for (let at = start; at < end; at += step) {
        this.mustGoOn();
        superblock.zero(at, Math.min(step, end - at));
      }
    }
  }

  /**
   * Stores the superblock, its magic last, and removes the marker. Throws FamfsError IN_USE when
   * another formatting has begun: the file system is not to be relied on then.
   */
  end(bytes: Buffer): void {
    const superblock = this.#superblock;
    this.mustGoOn();
    superblock.store(8, bytes.subarray(8));
    superblock.fence();
    this.mustGoOn();
    superblock.store64(0, bytes.readBigUInt64LE(0));
    superblock.fence();
    // Who stores a marker from here on finds the magic changed since it judged, and stops.
    this.#mustStand();
    superblock.zero(FormatMarker.at, FormatMarker.length);
    superblock.fence();
  }

  #mustStand(): void {
    if (!this.#superblock.bytes.subarray(FormatMarker.at, MARKER_END).equals(this.#marker)) throw this.#overtaken();
  }

  #overtaken(): FamfsError {
    return new FamfsError('IN_USE', `${this.#device.path}: somebody else has begun to format or to use this device; nothing more is written here`);
  }
}

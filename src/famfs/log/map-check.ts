import { deviceOf, offsetOf, poolAddress } from '../device/pool-address.ts';
import { EXTENTS_MAX, ExtentType, FileLayout } from '../format/entry-layout.ts';
import type { CheckedMap } from '../index/index-store.ts';

/** Where files may lie on one device, as offsets in bytes. */
export interface DeviceArea {
  /** First byte that may be a file's, at a multiple of the allocation unit: behind the log, on the first device. */
  readonly start: number;
  /** End of the device. A map may be rounded up past it, but no byte of a file lies there. */
  readonly end: number;
}

/** What bounds the memory of files. */
export interface DataArea {
  /** 4 KiB or 2 MiB. */
  readonly allocationUnit: number;
  /** By the device's index in the pool. */
  readonly devices: readonly DeviceArea[];
}

const HIGH = 0x100000000;
const EXTENT_WORDS = FileLayout.extentSize / 4;

/**
 * Reads the map of a FILE entry and judges it: counts, alignment, bounds, and whether it covers
 * the file's size. One object is reused for every entry of a replay.
 */
export class MapCheck implements CheckedMap {
  count = 0;
  readonly addresses = new Float64Array(EXTENTS_MAX);
  readonly lengths = new Float64Array(EXTENTS_MAX);
  size = 0;
  /** 0 for simple extents. */
  chunkSize = 0;

  /**
   * Why the map of the entry at word `at` (4-byte words) cannot be, or undefined. Whatever is said,
   * `count` extents were read that lie inside their devices.
   */
  check(words: Uint32Array, at: number, area: DataArea): string | undefined {
    this.count = 0;
    this.chunkSize = 0;
    this.size = u64(words, at + FileLayout.size / 4);
    const type = words[at + FileLayout.extentType / 4];
    const count = words[at + FileLayout.extentCount / 4];
    if (type === ExtentType.Simple) {
      if (count < 1 || count > EXTENTS_MAX) return `${count} extents: only 1 to ${EXTENTS_MAX} are possible`;
      return this.#read(words, at + FileLayout.extents / 4, count, area) ?? this.#simpleProblem(area);
    }
    if (type !== ExtentType.Interleaved) return `extent type ${type} is unknown`;
    if (count !== 1) return `${count} interleaved extents: only 1 is possible`;
    const strips = u64(words, at + FileLayout.stripCount / 4);
    if (strips < 1 || strips > EXTENTS_MAX) return `${strips} strips: only 1 to ${EXTENTS_MAX} are possible`;
    const chunk = u64(words, at + FileLayout.chunkSize / 4);
    const problem = this.#read(words, at + FileLayout.strips / 4, strips, area);
    if (chunk === 0 || chunk % area.allocationUnit !== 0 || chunk > largestEnd(area)) {
      return `chunk size ${chunk} is not a multiple of the allocation unit ${area.allocationUnit} inside the device`;
    }
    this.chunkSize = chunk;
    return problem ?? this.#interleavedProblem(area);
  }

  /** Reads all extents; those that cannot be are left out, and the first of them is the problem. */
  #read(words: Uint32Array, at: number, count: number, area: DataArea): string | undefined {
    let problem: string | undefined;
    for (let k = 0; k < count; k++, at += EXTENT_WORDS) {
      const bad = extentProblem(words, at, k, area);
      if (bad === undefined) {
        this.addresses[this.count] = poolAddress(words[at], u64(words, at + FileLayout.extent.offset / 4));
        this.lengths[this.count++] = u64(words, at + FileLayout.extent.length / 4);
      } else {
        problem ??= bad;
      }
    }
    return problem;
  }

  #simpleProblem(area: DataArea): string | undefined {
    if (this.size === 0) return 'the file has no size';
    let left = this.size;
    for (let k = 0; k < this.count && left > 0; k++) {
      const used = Math.min(left, this.lengths[k]);
      const end = this.#deviceEnd(k, area);
      if (offsetOf(this.addresses[k]) + used > end) return `extent ${k} holds bytes of the file past the device's end ${end}`;
      left -= used;
    }
    return left > 0 ? `size ${this.size} is ${left} bytes more than its extents hold` : undefined;
  }

  #interleavedProblem(area: DataArea): string | undefined {
    if (this.size === 0) return 'the file has no size';
    for (let strip = 0; strip < this.count; strip++) {
      const used = stripBytes(this.size, this.chunkSize, this.count, strip);
      if (used > this.lengths[strip]) return `size ${this.size} needs ${used} bytes in strip ${strip}, which has ${this.lengths[strip]}`;
      const end = this.#deviceEnd(strip, area);
      if (offsetOf(this.addresses[strip]) + used > end) return `strip ${strip} holds bytes of the file past the device's end ${end}`;
    }
    return undefined;
  }

  #deviceEnd(k: number, { devices }: DataArea): number {
    return devices[deviceOf(this.addresses[k])].end;
  }
}

function extentProblem(words: Uint32Array, at: number, k: number, area: DataArea): string | undefined {
  const unit = area.allocationUnit;
  const device = words[at + 1] === 0 ? area.devices[words[at]] : undefined;
  if (device === undefined) return `extent ${k} is on device ${u64(words, at)}: only ${known(area)} known`;
  const offset = u64(words, at + FileLayout.extent.offset / 4);
  const length = u64(words, at + FileLayout.extent.length / 4);
  if (length === 0) return `extent ${k} is empty`;
  // The unit is a power of two below 2^32: the lower words tell.
  if (((words[at + FileLayout.extent.offset / 4] | words[at + FileLayout.extent.length / 4]) & (unit - 1)) !== 0) {
    return `extent ${k} (${length} bytes at ${offset}) is not aligned to the allocation unit ${unit}`;
  }
  if (offset < device.start) return `extent ${k} (at ${offset}) lies in the superblock or log`;
  if (offset + length >= device.end + unit) return `extent ${k} (${length} bytes at ${offset}) lies past the device's end ${device.end}`;
  return undefined;
}

function known({ devices }: DataArea): string {
  return devices.length === 1 ? 'device 0 is' : `devices 0 to ${devices.length - 1} are`;
}

function largestEnd({ devices }: DataArea): number {
  return devices.reduce((largest, { end }) => Math.max(largest, end), 0);
}

/** Bytes of an interleaved file of `size` bytes that lie in one strip, from the strip's beginning. */
export function stripBytes(size: number, chunkSize: number, strips: number, strip: number): number {
  const chunks = Math.floor(size / chunkSize);
  const rest = size % chunkSize;
  const full = Math.floor(chunks / strips) + (strip < chunks % strips ? 1 : 0);
  return full * chunkSize + (strip === chunks % strips ? rest : 0);
}

function u64(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * HIGH;
}

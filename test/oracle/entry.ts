import { crc } from './crc.ts';
import type { Frame } from './image.ts';

export const ENTRY = 544;

/** Types of entries. A deleted file is first quarantined, then void; so is a deleted directory at once. */
export const FILE = 0;
export const MKDIR = 1;
export const ADD_DAXDEV = 3;
export const QUARANTINED = 0x1001;
export const VOID = 0x1002;

export interface OracleExtent {
  readonly start: number;
  readonly end: number;
}

/** A file's map: what could be read of it, and whether the whole of it can be. */
export interface OracleMap {
  readonly extents: OracleExtent[];
  readonly size: number;
  /** 0 for a list of extents. */
  readonly chunk: number;
  readonly sound: boolean;
}

export function entryIsSound(entry: Buffer, index: number): boolean {
  return entry.readBigUInt64LE(0) === BigInt(index) && entry.readBigUInt64LE(536) === BigInt(crc(entry, 0, 536));
}

/** The components of a path field of 80 bytes, each as latin1 text; undefined when it cannot be a path. */
export function readPath(field: Buffer): string[] | undefined {
  const end = field.indexOf(0);
  if (end <= 0) return undefined;
  const path = field.subarray(0, end);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(path);
  } catch {
    return undefined;
  }
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return undefined;
  }
  const parts = path.toString('latin1').split('/');
  return parts.some((part) => part === '' || part === '.' || part === '..') ? undefined : parts;
}

/** Reads and judges the map of a FILE entry. */
export function readMap(entry: Buffer, frame: Frame, deviceSize: number): OracleMap {
  const size = entry.readBigUInt64LE(16);
  const type = entry.readUInt32LE(120);
  const count = entry.readUInt32LE(128);
  const none = { extents: [], size: 0, chunk: 0, sound: false };
  if (type === 0) {
    if (count < 1 || count > 16) return none;
    const { extents, all } = readExtents(entry, 136, count, frame, deviceSize);
    const sound = all && size > 0n && inOrder(size, extents, deviceSize);
    return { extents, size: Number(size), chunk: 0, sound };
  }
  if (type !== 1 || count !== 1) return none;
  const strips = entry.readBigUInt64LE(136);
  if (strips < 1n || strips > 16n) return none;
  const chunk = entry.readBigUInt64LE(144);
  const { extents, all } = readExtents(entry, 152, Number(strips), frame, deviceSize);
  const chunkIsSound = chunk > 0n && chunk % BigInt(frame.unit) === 0n && chunk <= BigInt(deviceSize);
  const sound = all && chunkIsSound && size > 0n && striped(size, chunk, extents, deviceSize);
  return { extents, size: Number(size), chunk: Number(chunk), sound };
}

/** Extents up to the first that cannot be. */
function readExtents(entry: Buffer, from: number, count: number, { unit, dataStart }: Frame, deviceSize: number) {
  const extents: OracleExtent[] = [];
  let all = true;
  for (let at = from; at < from + count * 24; at += 24) {
    const offset = entry.readBigUInt64LE(at + 8);
    const length = entry.readBigUInt64LE(at + 16);
    const aligned = offset % BigInt(unit) === 0n && length % BigInt(unit) === 0n;
    // A device need not be a multiple of the unit: then a map may be rounded up past its end.
    const inside = offset >= BigInt(dataStart) && offset + length < BigInt(deviceSize + unit);
    if (entry.readBigUInt64LE(at) !== 0n || length === 0n || !aligned || !inside) all = false;
    else extents.push({ start: Number(offset), end: Number(offset + length) });
  }
  return { extents, all };
}

/** Whether the file's bytes, laid into the extents in order, have room and end inside the device. */
function inOrder(size: bigint, extents: OracleExtent[], deviceSize: number): boolean {
  let left = size;
  for (const { start, end } of extents) {
    const used = left < BigInt(end - start) ? left : BigInt(end - start);
    if (used > 0n && BigInt(start) + used > BigInt(deviceSize)) return false;
    left -= used;
  }
  return left === 0n;
}

/** The same for chunks dealt out to strips: chunk c lies in strip c mod n, at stripe c div n. */
function striped(size: bigint, chunk: bigint, strips: OracleExtent[], deviceSize: number): boolean {
  const count = BigInt(strips.length);
  return strips.every(({ start, end }, k) => {
    // The last chunk of this strip that the file reaches into, if any.
    const lastChunk = (size - 1n) / chunk;
    const behind = (lastChunk - BigInt(k)) / count;
    if (lastChunk < BigInt(k)) return true;
    const mine = behind * count + BigInt(k);
    const inLast = mine === lastChunk ? size - mine * chunk : chunk;
    const used = behind * chunk + inLast;
    return used <= BigInt(end - start) && BigInt(start) + used <= BigInt(deviceSize);
  });
}

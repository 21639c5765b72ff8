import { crc32 } from 'node:zlib';

/**
 * What the reference famfs tools see of a pool's bytes: replay and fsck, written from the facts of
 * their format alone. It knows neither states nor guards nor claims, imports nothing of src/, and
 * reads only as far as next_index.
 */
export interface ReferenceView {
  /** Why the tools would not read the pool at all. */
  readonly refused?: string;
  readonly files: readonly ReferenceFile[];
  readonly directories: readonly string[];
  /** Slots within next_index that are not valid entries: replay stops at the first. */
  readonly bad: readonly number[];
  /** What replay counts as an error. */
  readonly errors: readonly string[];
  /** Allocation units that two files claim, as fsck counts them. */
  readonly collisions: number;
}

export interface ReferenceFile {
  readonly path: string;
  readonly size: number;
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
}

const LOG_OFFSET = 0x200000;
const LOG_HEADER = 48;
const ENTRY = 544;
const FILE = 0;
const MKDIR = 1;
const SIMPLE = 0;

export function readAsReference(device: Buffer): ReferenceView {
  const refused = superblockProblem(device) ?? logProblem(device);
  const nothing = { files: [], directories: [], bad: [], errors: [], collisions: 0 };
  if (refused !== undefined) return { ...nothing, refused };
  const unit = Number(device.readBigUInt64LE(32));
  const next = Number(device.readBigUInt64LE(LOG_OFFSET + 40));
  const valid: Buffer[] = [];
  const bad: number[] = [];
  for (let index = 0; index < next; index++) {
    const at = LOG_OFFSET + LOG_HEADER + index * ENTRY;
    const entry = device.subarray(at, at + ENTRY);
    if (entryIsValid(entry, index)) valid.push(entry);
    else bad.push(index);
  }
  // Replay ends at a bad entry; fsck skips it and goes on.
  const replayed = bad.length === 0 ? valid : valid.slice(0, bad[0]);
  const dataStart = LOG_OFFSET + Number(device.readBigUInt64LE(24));
  return { ...replay(replayed), bad, collisions: countCollisions(valid, unit, dataStart) };
}

function superblockProblem(device: Buffer): string | undefined {
  if (device.readBigUInt64LE(0) !== 0x87b282ffn) return 'no superblock magic';
  if (device.readBigUInt64LE(8) !== 48n) return 'superblock of another version';
  if (device.readBigUInt64LE(96) !== BigInt(crc32(device.subarray(0, 96)))) return 'superblock CRC';
  const unit = device.readBigUInt64LE(32);
  return unit === 4096n || unit === 0x200000n ? undefined : 'allocation unit';
}

function logProblem(device: Buffer): string | undefined {
  const header = device.subarray(LOG_OFFSET, LOG_OFFSET + LOG_HEADER);
  if (header.readBigUInt64LE(0) !== 0xbadcafef00dn) return 'no log magic';
  if (header.readBigUInt64LE(24) !== BigInt(crc32(header.subarray(0, 24)))) return 'log header CRC';
  return header.readBigUInt64LE(8) === device.readBigUInt64LE(24) ? undefined : 'log length';
}

function entryIsValid(entry: Buffer, index: number): boolean {
  return entry.readBigUInt64LE(0) === BigInt(index) && entry.readBigUInt64LE(536) === BigInt(crc32(entry.subarray(0, 536)));
}

/** Applies entries as `logplay` does; unknown types are nothing to it. */
function replay(entries: readonly Buffer[]): Pick<ReferenceView, 'files' | 'directories' | 'errors'> {
  // A mount begins with the files of its own; replay finds them there.
  const own = ['.meta/.superblock', '.meta/.log'].map((path): ReferenceFile => ({ path, size: 0, extents: [] }));
  const files = new Map<string, ReferenceFile>(own.map((file) => [file.path, file]));
  const directories = new Set<string>(['', '.meta']);
  const errors: string[] = [];
  for (const entry of entries) {
    const type = entry.readUInt32LE(8);
    if (type !== FILE && type !== MKDIR) continue;
    const path = pathOf(entry, type === FILE ? 40 : 28);
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const what = type === FILE ? 'file' : 'directory';
    if (path === '' || path.startsWith('/')) errors.push(`${what} with the path "${path}"`);
    else if (!directories.has(parent)) errors.push(`${what} ${path} without its directory`);
    else if (type === MKDIR && files.has(path)) errors.push(`directory ${path} where a file is`);
    else if (type === MKDIR) directories.add(path);
    else if (directories.has(path)) errors.push(`file ${path} where a directory is`);
    else if (extentsOf(entry).some(({ offset }) => offset === 0)) errors.push(`file ${path} with an extent at 0`);
    else if (!files.has(path)) files.set(path, { path, size: Number(entry.readBigUInt64LE(16)), extents: extentsOf(entry) });
  }
  return {
    files: [...files.values()].filter((file) => !own.includes(file)),
    directories: [...directories].filter((path) => path !== '' && path !== '.meta'), errors,
  };
}

function pathOf(entry: Buffer, at: number): string {
  const field = entry.subarray(at, at + 80);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? 79 : end);
}

/** Simple extents, or the strips of an interleaved file. */
function extentsOf(entry: Buffer): { offset: number; length: number }[] {
  const simple = entry.readUInt32LE(120) === SIMPLE;
  const count = simple ? entry.readUInt32LE(128) : Number(entry.readBigUInt64LE(136));
  const first = simple ? 136 : 152;
  return Array.from({ length: Math.min(count, 16) }, (_, k) => ({
    offset: Number(entry.readBigUInt64LE(first + k * 24 + 8)),
    length: Number(entry.readBigUInt64LE(first + k * 24 + 16)),
  }));
}

/** The bitmap of fsck: units that the extents of valid FILE entries set a second time. */
function countCollisions(entries: readonly Buffer[], unit: number, dataStart: number): number {
  const taken = new Set(Array.from({ length: Math.ceil(dataStart / unit) }, (_, k) => k));
  let collisions = 0;
  for (const entry of entries) {
    if (entry.readUInt32LE(8) !== FILE) continue;
    for (const { offset, length } of extentsOf(entry)) {
      for (let at = Math.floor(offset / unit); at < Math.ceil((offset + length) / unit); at++) {
        if (taken.has(at)) collisions++;
        taken.add(at);
      }
    }
  }
  return collisions;
}

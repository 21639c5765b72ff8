import { type Run, sumOf } from '../alloc/free-runs.ts';
import { deviceOf, offsetOf } from '../device/pool-address.ts';
import { FamfsError } from '../errors.ts';
import { DirectoryLayout, EntryLayout, ExtentType, FILE_FLAGS, PATH_FIELD, PATH_MAX, REFERENCE_DIRECTORY } from '../format/entry-layout.ts';
import { type EntryBody, type FileFields, newEntry } from '../format/entry.ts';
import { EntryType, StateWord } from '../format/state-word.ts';
import { encodeVolumeRecord, type VolumeRecord, volumeRecordFits } from '../format/volume-record.ts';
import { PathCheck } from '../log/path-check.ts';
import type { Pool } from '../pool/pool.ts';
import type { FreeMemory } from './free-memory.ts';

/** A directory or file to be made. Modes are permission bits; sizes bytes. */
export type NewEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number; readonly record?: VolumeRecord }
  | { readonly kind: 'file'; readonly path: string; readonly size: number; readonly mode: number; readonly uid: number; readonly gid: number };

/**
 * Checks that a batch can be made: sound paths that are free and ours, in directories that exist or come
 * earlier in the batch, and sizes that some pool could hold.
 * Throws FamfsError INVALID, EXISTS, NOT_FOUND or TOO_LARGE, naming the value.
 */
export function checkBatch(pool: Pool, batch: readonly NewEntry[]): void {
  const paths = new Set<string>();
  const directories = new Set<string>();
  for (const entry of batch) {
    checkPath(entry.path);
    checkOwner(entry);
    if (pool.view.resolve(entry.path) !== 0 || paths.has(entry.path)) throw new FamfsError('EXISTS', `${entry.path} exists already`);
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')));
    paths.add(entry.path);
    if (!directories.has(parent) && pool.stat(parent)?.kind !== 'directory') {
      throw new FamfsError('NOT_FOUND', `${entry.path}: the directory ${JSON.stringify(parent)} does not exist`);
    }
    if (entry.kind === 'directory') {
      if (entry.record !== undefined && !volumeRecordFits(entry.record)) {
        throw new FamfsError('INVALID', `${entry.path}: name and parameters of the volume are too long for a log entry`);
      }
      directories.add(entry.path);
    } else {
      checkSize(pool, entry.path, entry.size);
    }
  }
}

/** Encodes a checked batch for the slots from `first` on. Throws FamfsError NO_SPACE; nothing is taken then. */
export function encodeBatch(first: number, batch: readonly NewEntry[], memory: Pick<FreeMemory, 'allocate' | 'restore' | 'free' | 'largestAllocatable'>): Buffer[] {
  const taken: Run[] = [];
  return batch.map((entry, k) => {
    if (entry.kind === 'directory') {
      const spare = entry.record === undefined ? Buffer.alloc(DirectoryLayout.spareLength) : encodeVolumeRecord(entry.record);
      return newEntry(first + k, EntryType.Directory, { ...entry, spare });
    }
    const runs = memory.allocate(entry.size);
    if (runs === undefined) {
      const message = `${entry.path} needs ${entry.size} bytes; ${memory.free} are free, ${memory.largestAllocatable} could be had in one file`;
      memory.restore(taken);
      throw new FamfsError('NO_SPACE', message);
    }
    taken.push(...runs);
    return newEntry(first + k, EntryType.File, fileBody(entry, runs));
  });
}

/**
 * A file that never was live and is in quarantine from the start: so that memory which must not be handed out has an
 * owner that every reader knows, and is scrubbed like that of any deleted file (R6). Its path is one that no reader
 * accepts, should somebody store the word of a live file.
 */
export function encodeQuarantined(slot: number, runs: readonly Run[]): Buffer {
  const bytes = newEntry(slot, EntryType.File, fileBody({ path: '.', size: sumOf(runs), mode: 0, uid: 0, gid: 0 }, runs));
  bytes.writeBigUInt64LE(StateWord.quarantined, EntryLayout.type); // the CRC stays right: see state-word.ts
  return bytes;
}

function fileBody(file: Pick<FileFields, 'path' | 'size' | 'mode' | 'uid' | 'gid'>, runs: readonly Run[]): EntryBody {
  const extents = runs.map(({ start, end }) => ({ device: deviceOf(start), offset: offsetOf(start), length: end - start }));
  return { kind: 'file', ...file, flags: FILE_FLAGS, extentType: ExtentType.Simple, extentCount: extents.length, extents };
}

/** Why no file or directory can have this path, or undefined. */
export function pathProblem(path: string): string | undefined {
  const bytes = Buffer.from(path, 'utf8');
  if (path.includes('\0')) return 'the path has a control character';
  if (bytes.length > PATH_MAX) return `the path has ${bytes.length} bytes, at most ${PATH_MAX} are possible`;
  if (!path.isWellFormed()) return 'the path is not UTF-8';
  const field = Buffer.alloc(PATH_FIELD);
  bytes.copy(field);
  return new PathCheck().check(field, 0, 0);
}

function checkPath(path: string): void {
  const problem = pathProblem(path);
  if (problem !== undefined) throw new FamfsError('INVALID', `${JSON.stringify(path)}: ${problem}`);
  if (path.split('/', 1)[0] === REFERENCE_DIRECTORY) {
    throw new FamfsError('INVALID', `${JSON.stringify(path)}: ${REFERENCE_DIRECTORY} at the root of a pool belongs to the reference tools, ` +
      'which could not mount the pool any more: choose another name');
  }
}

function checkOwner({ path, mode, uid, gid }: NewEntry): void {
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) throw new FamfsError('INVALID', `${path}: mode ${mode} is not within 0 and 07777`);
  for (const [what, id] of [['uid', uid], ['gid', gid]] as const) {
    // The highest number means "unchanged" to chown, so nobody has it.
    if (!Number.isInteger(id) || id < 0 || id >= 0xffffffff) throw new FamfsError('INVALID', `${path}: ${what} ${id} is not within 0 and 4294967294`);
  }
}

function checkSize(pool: Pool, path: string, size: number): void {
  if (!Number.isSafeInteger(size) || size <= 0) throw new FamfsError('INVALID', `${path}: size ${size} is not a positive number of bytes`);
  const total = sumOf(pool.replayer.geometry.allocatable);
  if (size > total) {
    throw new FamfsError('TOO_LARGE', `${path}: ${size} bytes are more than the whole pool holds (${total})`);
  }
}

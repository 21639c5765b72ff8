import type { Allocator } from '../alloc/allocator.ts';
import { type Run, sumOf } from '../alloc/free-runs.ts';
import { deviceOf, offsetOf } from '../device/pool-address.ts';
import { FamfsError } from '../errors.ts';
import { DirectoryLayout, ExtentType, FILE_FLAGS, PATH_FIELD, PATH_MAX, REFERENCE_DIRECTORY } from '../format/entry-layout.ts';
import { newEntry } from '../format/entry.ts';
import { EntryType } from '../format/state-word.ts';
import { encodeVolumeRecord, type VolumeRecord, volumeRecordFits } from '../format/volume-record.ts';
import { PathCheck } from '../log/path-check.ts';
import type { Pool } from '../pool/pool.ts';

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
export function encodeBatch(first: number, batch: readonly NewEntry[], allocator: Allocator): Buffer[] {
  const taken: Run[] = [];
  return batch.map((entry, k) => {
    if (entry.kind === 'directory') {
      const spare = entry.record === undefined ? Buffer.alloc(DirectoryLayout.spareLength) : encodeVolumeRecord(entry.record);
      return newEntry(first + k, EntryType.Directory, { ...entry, spare });
    }
    const runs = allocator.allocate(entry.size);
    if (runs === undefined) {
      const message = `${entry.path} needs ${entry.size} bytes; ${allocator.free} are free, ${allocator.largestAllocatable} could be had in one file`;
      allocator.restore(taken);
      throw new FamfsError('NO_SPACE', message);
    }
    taken.push(...runs);
    const extents = runs.map(({ start, end }) => ({ device: deviceOf(start), offset: offsetOf(start), length: end - start }));
    return newEntry(first + k, EntryType.File, {
      ...entry, flags: FILE_FLAGS, extentType: ExtentType.Simple, extentCount: extents.length, extents,
    });
  });
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

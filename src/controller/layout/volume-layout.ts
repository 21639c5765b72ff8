import { setImmediate } from 'node:timers/promises';
import { refuse } from '../../csi/errors.ts';
import { type VolumeRecord, volumeRecordFits } from '../../famfs/format/volume-record.ts';
import type { Pool, PoolNode } from '../../famfs/pool/pool.ts';
import type { NewEntry, PoolWriter } from '../../famfs/writer/writer.ts';
import type { ClassParameters } from './parameters.ts';

/*
 * How a volume lies in a pool: a directory at the root with a record, and in it one file. Whoever makes,
 * lists, counts or removes volumes asks here.
 */

/** What a volume's record calls it; other kinds may come with later versions. */
const VOLUME_KIND = 'volume';

/** The file of a volume that holds its memory. */
const DATA_FILE = 'data';

/** Log entries a volume needs: its directory and its file. */
export const SLOTS_PER_VOLUME = 2;

/** How long a deletion works at a time. */
const SLICE_MS = 10;

/** Whether a directory is a volume that this driver made. */
export function isVolume({ record }: PoolNode): boolean {
  return record?.kind === VOLUME_KIND;
}

/** A volume without its file: what a crash in the middle of a deletion leaves. Creation cannot, it is one store. */
export function isCutShort(pool: Pool, found: PoolNode): boolean {
  return isVolume(found) && pool.isEmpty(found.path);
}

/** The record of a new volume of `capacity` bytes. Throws INVALID_ARGUMENT where it is longer than a log entry can keep. */
export function recordOf(name: string, capacity: number, parameters: ClassParameters): VolumeRecord {
  const record = { name, kind: VOLUME_KIND, parameters: parameters.given, createdAt: Date.now(), capacity };
  if (!volumeRecordFits(record)) {
    throw refuse.invalid(`name and parameters are longer than a log entry can keep: shorten them (${JSON.stringify(parameters.given)})`);
  }
  return record;
}

/** The log entries of a new volume whose file has `size` bytes: one batch, so that there is no half volume. */
export function entriesOf(directory: string, size: number, record: VolumeRecord, parameters: ClassParameters): NewEntry[] {
  const { uid, gid, fileMode, directoryMode } = parameters;
  return [
    { kind: 'directory', path: directory, mode: directoryMode, uid, gid, record },
    { kind: 'file', path: `${directory}/${DATA_FILE}`, size, mode: fileMode, uid, gid },
  ];
}

/** A piece of a deletion: it ends at a moment of `performance.now`, and looks at all states of the log once. */
interface Slice {
  readonly until: number;
  hasLooked: boolean;
}

/**
 * Removes files first and the directory last, so that what a crash leaves is still a volume to delete. However much
 * is in it, others are answered in between, and the lease is renewed: each `write` is a piece of the work.
 */
export async function removeTree(
  write: (work: (writer: PoolWriter) => boolean) => boolean, directory: string, sliceMs = SLICE_MS,
): Promise<void> {
  while (!write((writer) => removeSome(writer, directory, { until: performance.now() + sliceMs, hasLooked: false }))) await setImmediate();
}

/** Removes one thing after the other until the slice is over; answers whether all is gone. */
function removeSome(writer: PoolWriter, directory: string, slice: Slice): boolean {
  const { pool } = writer;
  for (let [first] = pool.nodesIn(directory); first !== undefined; [first] = pool.nodesIn(directory)) {
    const { kind, path } = pool.describe(first);
    if (kind === 'file') remove(writer, path, slice);
    else if (!removeSome(writer, path, slice)) return false;
    if (performance.now() >= slice.until) return false;
  }
  remove(writer, directory, slice);
  return true;
}

function remove(writer: PoolWriter, path: string, slice: Slice): void {
  writer.remove(path, { looksAtAll: !slice.hasLooked });
  slice.hasLooked = true;
}

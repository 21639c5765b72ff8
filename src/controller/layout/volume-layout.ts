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

/** Whether a directory is a volume that this driver made. */
export function isVolume({ record }: PoolNode): boolean {
  return record?.kind === VOLUME_KIND;
}

/** A volume without its file: what a crash in the middle of a deletion leaves. Creation cannot, it is one store. */
export function isCutShort(pool: Pool, found: PoolNode): boolean {
  return isVolume(found) && pool.stat(`${found.path}/${DATA_FILE}`) === undefined &&
    pool.list(found.path).length === 0;
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

/** Removes files first and the directory last, so that what a crash leaves is still a volume to delete. */
export function removeTree(writer: PoolWriter, directory: string): void {
  for (const { kind, path } of writer.pool.list(directory)) {
    if (kind === 'directory') removeTree(writer, path);
    else writer.remove(path);
  }
  writer.remove(directory);
}

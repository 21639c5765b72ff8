/** Entries that a program appends that knows no rules of ours: the reference tools, or somebody who means harm. */
import { deviceOf, offsetOf } from '../../src/famfs/device/pool-address.ts';
import { type EntryBody, newEntry } from '../../src/famfs/format/entry.ts';
import { entryOffset, LogHeader } from '../../src/famfs/format/log-header.ts';
import { EntryType } from '../../src/famfs/format/state-word.ts';
import type { Pool } from '../../src/famfs/pool/pool.ts';

/** Puts an entry into a slot, and counts up to it. */
export function forge(pool: Pool, index: number, type: number, body: EntryBody): void {
  const { log } = pool.replayer.geometry;
  log.store(entryOffset(index), newEntry(index, type, body));
  log.store64(LogHeader.nextSeqnumOffset, BigInt(index + 1));
  log.store64(LogHeader.nextIndexOffset, BigInt(index + 1));
}

/** A file over one range of memory: offsets of the device, in bytes. */
export function fileOver(path: string, extents: readonly { readonly offset: number; readonly length: number }[]): EntryBody {
  const size = extents.reduce((sum, { length }) => sum + length, 0);
  return {
    kind: 'file', path, size, flags: 2, mode: 0o644, uid: 1, gid: 2, extentType: 0, extentCount: extents.length,
    extents: extents.map((extent) => ({ device: 0, ...extent })),
  };
}

/** Appends what `famfs clone` of the reference does: another file over the memory of one that is there. Answers its index. */
export function forgeClone(pool: Pool, path: string, clone: string): number {
  const extents = pool.view.extents(pool.view.resolve(path)).map(({ start, end }) => {
    if (deviceOf(start) !== 0) throw new Error('clones are on the first device');
    return { offset: offsetOf(start), length: end - start };
  });
  pool.refresh();
  const index = pool.replayer.end;
  forge(pool, index, EntryType.File, fileOver(clone, extents));
  return index;
}

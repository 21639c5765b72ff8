import { ExtentMap } from '../alloc/extent-map.ts';
import type { Run } from '../alloc/free-runs.ts';
import { DirectoryLayout, EntryLayout, FileLayout, PATH_FIELD } from '../format/entry-layout.ts';
import { EntryType, originalType } from '../format/state-word.ts';
import { Status } from '../index/index-store.ts';
import type { Geometry } from './geometry.ts';
import { LogScanner } from './log-scanner.ts';
import { MapCheck } from './map-check.ts';
import type { Replayer } from './replayer.ts';

/** The memory that the FILE entry in a slot names, dead or alive: what a replay forgets of void ones. */
export function memoryOf(geometry: Geometry, index: number): Run[] {
  const scanner = new LogScanner(geometry.log);
  return index < geometry.capacity && scanner.read(index, 1) > 0 ? memoryIn(scanner, geometry, new MapCheck()) : [];
}

/** A refused entry, as the log has it now. */
export interface Reject {
  readonly index: number;
  readonly path: string;
  /** The memory that it names. */
  readonly extents: readonly Run[];
  /** A file that the reference tools show, and we do not: it has memory of a live file, and a path of its own. */
  readonly isAlias: boolean;
}

/**
 * The refused entries that have one of some paths, or memory in common with the files there: those that could come to
 * life when these go. A replay keeps neither paths nor owners of rejects, so this reads them again.
 */
export function rejectsMeeting({ geometry, view, end, hasRejects }: Replayer, paths: ReadonlySet<string>, memory: readonly Run[]): Reject[] {
  const scanner = new LogScanner(geometry.log);
  const map = new MapCheck();
  const owned = new ExtentMap();
  for (const { start, end: to } of memory) owned.add(start, to, 0);
  const found: Reject[] = [];
  for (let index = 0; hasRejects && index < end; index++) {
    const status = view.statusAt(index);
    if ((status !== Status.Rejected && status !== Status.Repeated) || scanner.read(index, 1) === 0) continue;
    const extents = memoryIn(scanner, geometry, map);
    const path = pathIn(scanner);
    const meets = extents.some((run) => owned.overlapping(run.start, run.end) !== undefined);
    const isAlias = meets && !paths.has(path) && scanner.words[EntryLayout.type / 4] === EntryType.File;
    if (meets || paths.has(path)) found.push({ index, path, extents, isAlias });
  }
  return found;
}

/** Of the entry that a scanner has read. */
function memoryIn({ words }: LogScanner, geometry: Geometry, map: MapCheck): Run[] {
  const type = originalType(words[EntryLayout.type / 4], words[EntryLayout.padding / 4]);
  if (type !== EntryType.File && type !== EntryType.Quarantined) return [];
  map.check(words, 0, geometry);
  return Array.from({ length: map.count }, (_, k) => ({ start: map.addresses[k], end: map.addresses[k] + map.lengths[k] }));
}

function pathIn({ bytes, words }: LogScanner): string {
  const at = words[EntryLayout.type / 4] === EntryType.Directory ? DirectoryLayout.path : FileLayout.path;
  const end = bytes.indexOf(0, at);
  return bytes.toString('utf8', at, Math.min(end, at + PATH_FIELD));
}

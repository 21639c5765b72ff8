import type { Run } from '../alloc/free-runs.ts';
import { EntryLayout } from '../format/entry-layout.ts';
import { EntryType, originalType } from '../format/state-word.ts';
import type { Geometry } from './geometry.ts';
import { LogScanner } from './log-scanner.ts';
import { MapCheck } from './map-check.ts';

/** The memory that the FILE entry in a slot names, dead or alive: what a replay forgets of void ones. */
export function memoryOf(geometry: Geometry, index: number): Run[] {
  const scanner = new LogScanner(geometry.log);
  if (index >= geometry.capacity || scanner.read(index, 1) === 0) return [];
  const { words } = scanner;
  const type = originalType(words[EntryLayout.type / 4], words[EntryLayout.padding / 4]);
  if (type !== EntryType.File && type !== EntryType.Quarantined) return [];
  const map = new MapCheck();
  map.check(words, 0, geometry);
  return Array.from({ length: map.count }, (_, k) => ({ start: map.addresses[k], end: map.addresses[k] + map.lengths[k] }));
}

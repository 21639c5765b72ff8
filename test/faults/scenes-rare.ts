import { setTimeout as sleep } from 'node:timers/promises';
import type { Region } from '../../src/famfs/device/region.ts';
import { ClaimLayout } from '../../src/famfs/format/claim-record.ts';
import { newEntry } from '../../src/famfs/format/entry.ts';
import { entryOffset, LogHeader, stateOffset } from '../../src/famfs/format/log-header.ts';
import { EntryType, StateWord } from '../../src/famfs/format/state-word.ts';
import { readGeometry } from '../../src/famfs/log/geometry.ts';
import { emptyPool, UNIT } from './image.ts';
import type { Recording } from './recording.ts';
import { impatient, newHost } from './recovery.ts';
import { aDirectory, aFile, aVolume, Story } from './story.ts';

const SIZE = { slots: 64, units: 64 };
/** More than a heartbeat. */
const BEAT_MS = 1200;

/** The ring of claims is gone round: heads and lists are written over older ones, guards in force among them. */
export async function* wrapped(): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const first = await story.takeOver('a claim', newHost('first'));
  await story.create('a volume', first, aVolume('v', UNIT));
  const guarding = await story.takeOver('a claim with guards', newHost('second'), impatient);
  for (const writer of [first, guarding]) writer.close();
  const host = newHost('host');
  while (story.recordings.length < ClaimLayout.records + 3) {
    const writer = await story.takeOver(`claim ${story.recordings.length}`, host);
    writer.close();
  }
  story.recordings.splice(0, ClaimLayout.records - 2);
  const last = await story.takeOver('a claim with guards after a round', newHost('last'));
  await story.create('a volume after a round', last, aVolume('w', UNIT));
  last.close();
  yield* story.recordings;
}

/** A heartbeat stores anew what a late writer has overwritten: a guard, a state, the counters, the change word. */
export async function* restored(): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const late = await story.takeOver('a claim', newHost('late'));
  await story.create('a volume', late, aVolume('v', UNIT));
  const writer = await story.takeOver('a claim with guards', newHost('writer'), impatient);
  await story.create('a volume of the second', writer, aVolume('w', UNIT));
  await story.remove('a deletion', writer, 'v/data');
  await story.giveBack('its memory given back', writer);
  const { log } = readGeometry(story.device);
  const guard = 2;
  const extent = { device: 0, offset: story.device.size - UNIT, length: UNIT };
  storeFile(log, guard, 'late', extent);
  log.store64(stateOffset(1), StateWord.quarantined);
  for (const counter of [LogHeader.nextSeqnumOffset, LogHeader.nextIndexOffset]) log.store64(counter, BigInt(guard + 1));
  story.device.superblock.store64(ClaimLayout.changeWord, 1n << 32n | 77n);
  story.afterLateStores();
  await story.record('a heartbeat that restores', [], () => sleep(BEAT_MS));
  story.settled();
  await story.create('a volume after that', writer, aVolume('x', UNIT));
  for (const each of [late, writer]) each.close();
  yield* story.recordings;
}

/** Deletions of files with which refused entries of another program collide, in path or memory. */
export async function* refused(): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const writer = await story.takeOver('a claim', newHost('writer'));
  await story.create('a volume', writer, aVolume('v', 3 * UNIT));
  writer.close();
  const { log, devices: [{ start: dataStart }] } = readGeometry(story.device);
  for (const [index, path, offset] of [[2, 'v/data', 20], [3, 'v/other', 2]] as const) {
    const extent = { device: 0, offset: dataStart + offset * UNIT, length: 3 * UNIT };
    storeFile(log, index, path, extent);
    story.device.view(extent.offset + UNIT, 2 * UNIT).fill(0x99);
  }
  for (const counter of [LogHeader.nextSeqnumOffset, LogHeader.nextIndexOffset]) log.store64(counter, 4n);
  story.withRefusedEntries();
  const next = await story.takeOver('a claim over refused entries', newHost('next'));
  await story.remove('a deletion with which they collide', next, 'v/data');
  await story.giveBack('its memory given back', next);
  await story.create('a volume over their memory', next, [aDirectory('all'), aFile('all/data', 60 * UNIT)]);
  next.close();
  yield* story.recordings;
}

/** What another writer would have stored into a slot. */
function storeFile(log: Region, index: number, path: string, extent: { device: number; offset: number; length: number }): void {
  const map = { extentType: 0, extentCount: 1, extents: [extent] };
  log.store(entryOffset(index), newEntry(index, EntryType.File, { kind: 'file', path, size: extent.length, flags: 2, uid: 0, gid: 0, mode: 0o644, ...map }));
}

import assert from 'node:assert/strict';
import { EntryLayout } from '../../src/famfs/format/entry-layout.ts';
import { entryOffset, LogHeader } from '../../src/famfs/format/log-header.ts';
import { EntryType, originalType } from '../../src/famfs/format/state-word.ts';
import type { Pool } from '../../src/famfs/pool/pool.ts';

/** What a caller knows of a volume: of an answer that never came, only that it was asked for. */
type Knowledge = 'creation asked for' | 'there' | 'deletion asked for' | 'half deleted';

export interface LedgerVolume {
  readonly name: string;
  readonly id: string;
  readonly size: number;
  /** What its memory is filled with. */
  readonly stamp: number;
  state: Knowledge;
}

/** What callers of controllers were told, kept beside what is in the pool. */
export class Ledger {
  readonly #uuid: string;
  readonly #volumes = new Map<string, LedgerVolume>();
  #created = 0;
  #deleted = 0;

  constructor(uuid: string) {
    this.#uuid = uuid;
  }

  /** Volumes that were made, whether anybody was told or not. */
  get created(): number {
    return this.#created;
  }

  get deleted(): number {
    return this.#deleted;
  }

  get all(): LedgerVolume[] {
    return [...this.#volumes.values()];
  }

  in(state: Knowledge): LedgerVolume[] {
    return this.all.filter((volume) => volume.state === state);
  }

  asks(name: string, size: number): LedgerVolume {
    const stamp = 1 + (this.#volumes.size + this.#created) % 255;
    const volume: LedgerVolume = { name, id: `${this.#uuid}/${name}`, size, stamp, state: 'creation asked for' };
    this.#volumes.set(name, volume);
    return volume;
  }

  wasMade(volume: LedgerVolume): void {
    volume.state = 'there';
    this.#created++;
  }

  wasNotMade({ name }: LedgerVolume): void {
    this.#volumes.delete(name);
  }

  wasDeleted({ name }: LedgerVolume): void {
    this.#volumes.delete(name);
    this.#deleted++;
  }

  /**
   * Compares with a pool that nobody writes to: every volume that somebody was told of is there and
   * whole, and nothing is there that nobody asked for. Learns what became of the rest.
   */
  compare(pool: Pool): void {
    const inPool = new Map(pool.list('').map((found) => [found.path, found]));
    for (const volume of this.all) {
      const found = inPool.get(volume.name);
      inPool.delete(volume.name);
      const data = found && pool.stat(`${volume.name}/data`);
      if (found !== undefined) assert.equal(found.record?.name, volume.name);
      if (volume.state === 'there') assert.ok(found && data, `${volume.name} was made and is not there`);
      if (data !== undefined) assert.equal(data.size, volume.size, volume.name);
      if (volume.state === 'creation asked for') {
        assert.equal(found === undefined, data === undefined, `half of ${volume.name} is there`);
        if (found === undefined) this.wasNotMade(volume);
        else this.wasMade(volume);
      } else if (volume.state !== 'there') {
        // Its file goes first. Nobody deletes on: who was asked is no more.
        if (found === undefined) this.wasDeleted(volume);
        else volume.state = data === undefined ? 'half deleted' : 'there';
      }
    }
    assert.deepEqual([...inPool.keys()], [], 'nobody asked for these, or was told that they are gone');
  }

  /** No byte of the pool and no slot of its log is anything but what callers know of. Answers the slots that guard. */
  account(pool: Pool): number {
    const { totalBytes, usedBytes, freeBytes, quarantinedBytes, slotsUsed } = pool.usage();
    assert.equal(usedBytes + freeBytes + quarantinedBytes, totalBytes);
    const files = [...pool.walk()].filter(({ kind }) => kind === 'file');
    assert.equal(usedBytes, files.reduce((sum, { size }) => sum + size, 0), 'bytes used by no file');
    const slots = countSlots(pool, slotsUsed);
    assert.deepEqual([slots.directories, slots.files], [this.created, this.created], 'slots of volumes');
    assert.equal(slots.guards % 4, 0, `${slots.guards} slots guard`);
    return slots.guards;
  }
}

/** Counts the slots of a log by what they held when they were written. */
function countSlots(pool: Pool, used: number): { directories: number; files: number; guards: number } {
  const { log } = pool.replayer.geometry;
  assert.equal(log.load64(LogHeader.nextIndexOffset), BigInt(used));
  const counts = { directories: 0, files: 0, guards: 0 };
  for (let slot = 0; slot < used; slot++) {
    const at = entryOffset(slot);
    const type = originalType(log.load32(at + EntryLayout.type), log.load32(at + EntryLayout.padding));
    if (type === EntryType.Directory) counts.directories++;
    else if (type === EntryType.File) counts.files++;
    else if (type === EntryType.Void) counts.guards++;
    else assert.fail(`slot ${slot} has type ${type}`);
  }
  return counts;
}

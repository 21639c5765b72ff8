import { openDevice } from '../../src/famfs/device/open.ts';
import type { Region } from '../../src/famfs/device/region.ts';
import { ClaimLayout } from '../../src/famfs/format/claim-record.ts';
import { DirectoryLayout } from '../../src/famfs/format/entry-layout.ts';
import { type EntryBody, entryIsValid, newEntry } from '../../src/famfs/format/entry.ts';
import { entryOffset, logCapacity, LogHeader, stateOffset } from '../../src/famfs/format/log-header.ts';
import { EntryType, nextWord } from '../../src/famfs/format/state-word.ts';
import { decodeSuperblock, Superblock } from '../../src/famfs/format/superblock.ts';

const UNIT = 0x200000;
const ENTRY = 544;

/** What a reject is made of: which entry, the memory of files, and a number that is another one each time. */
interface Making {
  readonly taken: string;
  readonly dataStart: number;
  readonly units: number;
  readonly number: number;
}

const file = ({ dataStart, units, number }: Making, path: string, extents = 1): EntryBody => ({
  kind: 'file', path, size: extents * UNIT, flags: 2, uid: 0, gid: 0, mode: 0o644, extentType: 0, extentCount: extents,
  extents: Array.from({ length: extents }, (_, k) => ({ device: 0, offset: dataStart + ((number * extents * 2 + k * 2) % units) * UNIT, length: UNIT })),
});
const directory = (path: string): EntryBody => ({ kind: 'directory', path, uid: 0, gid: 0, mode: 0o755, spare: Buffer.alloc(DirectoryLayout.spareLength) });

/** Sound entries that every reader refuses, by what is wrong with them. `taken` is the path of a file that is there. */
export const rejects: Readonly<Record<string, (making: Making) => EntryBody>> = {
  'a path that is taken': (making) => file(making, making.taken),
  'a path that is taken, and sixteen extents': (making) => file(making, making.taken, 16),
  'no directory': (making) => file(making, `none/${making.number}`),
  'a bad path': (making) => file(making, '../escape'),
  'a directory where a file is': ({ taken }) => directory(taken),
};

/**
 * A host that has the pool's memory and appends to its log, as a writer would, but asks nobody. What it appends is
 * sound, with its CRC, and cannot be.
 */
export class LogFlood {
  readonly #device: ReturnType<typeof openDevice>;
  readonly #log: Region;
  readonly #dataStart: number;
  readonly #taken: string;
  /** Slots of the log. */
  readonly capacity: number;
  #next = 0;

  /** `taken`: the path of a file that is there. */
  constructor(devicePath: string, taken: string) {
    this.#device = openDevice(devicePath);
    const { logLength } = decodeSuperblock(Buffer.from(this.#device.superblock.bytes.subarray(0, Superblock.length)));
    this.#log = this.#device.log(logLength);
    this.#dataStart = Math.ceil((Superblock.regionLength + logLength) / UNIT) * UNIT;
    this.capacity = logCapacity(logLength);
    this.#taken = taken;
    while (this.#next < this.capacity && this.#isUsed(this.#next)) this.#next++;
  }

  /** The slot behind the last entry. */
  get next(): number {
    return this.#next;
  }

  /** Appends so many rejects, of all kinds or of one. */
  flood(count: number, kind?: string): void {
    const kinds = kind === undefined ? Object.values(rejects) : [rejects[kind]!];
    const units = Math.floor((this.#device.size - this.#dataStart) / UNIT);
    for (let k = 0; k < count && this.#next < this.capacity; k++) {
      const number = this.#next++;
      const body = kinds[number % kinds.length]!({ taken: this.#taken, dataStart: this.#dataStart, units, number });
      this.#log.store(entryOffset(number), newEntry(number, body.kind === 'file' ? EntryType.File : EntryType.Directory, body));
    }
    this.#log.store64(LogHeader.nextSeqnumOffset, BigInt(this.#next));
    this.#log.store64(LogHeader.nextIndexOffset, BigInt(this.#next));
  }

  /** Makes an entry void, as its deletion does. */
  takeBack(index: number): void {
    const word = nextWord(this.#log.load64(stateOffset(index)), 'void');
    if (word !== undefined) this.#log.store64(stateOffset(index), word);
    this.touch();
  }

  /** Says that states have changed, so that every reader looks at all of them. */
  touch(): void {
    const { superblock } = this.#device;
    superblock.store64(ClaimLayout.changeWord, superblock.load64(ClaimLayout.changeWord) + 1n);
  }

  close(): void {
    this.#device.close();
  }

  #isUsed(index: number): boolean {
    const at = entryOffset(index);
    return entryIsValid(Buffer.from(this.#log.bytes.subarray(at, at + ENTRY)), index);
  }
}

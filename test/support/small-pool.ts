import {
  ClaimLayout, encodeClaimHead, encodeClaimList, recordOffset, type SlotRange,
} from '../../src/famfs/format/claim-record.ts';
import { DirectoryLayout, EntryLayout } from '../../src/famfs/format/entry-layout.ts';
import { type EntryBody, newEntry } from '../../src/famfs/format/entry.ts';
import { emptyLogHeader, entryOffset, LogHeader, stateOffset } from '../../src/famfs/format/log-header.ts';
import { EntryType } from '../../src/famfs/format/state-word.ts';
import { encodeSuperblock, Superblock, superblockCrc } from '../../src/famfs/format/superblock.ts';
import { MemoryDevice } from './memory-device.ts';

export const UNIT = 0x200000;
const uuid = '00112233-4455-4677-8899-aabbccddeeff';

/**
 * A pool of as few slots as a test wants, in memory of this process, of which a test writes every
 * entry itself: sound ones, and such as no writer would.
 */
export class SmallPool {
  readonly device: MemoryDevice;
  readonly slots: number;
  readonly logLength: number;
  /** First byte of the data area. */
  readonly dataStart: number;
  next = 0;
  #changes = 1n;

  constructor(slots: number, dataUnits = 64) {
    this.slots = slots;
    this.logLength = Math.ceil((LogHeader.length + slots * EntryLayout.size) / 8) * 8;
    this.dataStart = Math.ceil((Superblock.regionLength + this.logLength) / UNIT) * UNIT;
    const deviceSize = this.dataStart + dataUnits * UNIT;
    this.device = new MemoryDevice(deviceSize, this.logLength);
    const bytes = encodeSuperblock({
      magic: Superblock.magic, version: Superblock.version, logOffset: Superblock.regionLength, logLength: this.logLength,
      allocationUnit: UNIT, omfMajor: 2, omfMinor: 2, uuid, deviceUuid: uuid, systemUuid: uuid, crc: 0, flags: 0,
      deviceSize, daxdevUuid: uuid, deviceName: 'memory',
    });
    bytes.writeBigUInt64LE(BigInt(superblockCrc(bytes)), Superblock.crcLength);
    this.device.superblock.store(0, bytes);
    this.log.store(0, emptyLogHeader(this.logLength));
  }

  get log() {
    return this.device.log(this.logLength);
  }

  /** Appends an entry, or puts it into a slot; answers its index. */
  put(type: number, body: EntryBody, index = this.next++): number {
    this.log.store(entryOffset(index), newEntry(index, type, body));
    this.count(Math.max(index + 1, this.next));
    return index;
  }

  directory(path: string): number {
    const spare = Buffer.alloc(DirectoryLayout.spareLength);
    return this.put(EntryType.Directory, { kind: 'directory', path, uid: 0, gid: 0, mode: 0o755, spare });
  }

  /** A file over ranges of units of the data area: [first, count] each. */
  file(path: string, ...units: (readonly [number, number])[]): number {
    return this.put(EntryType.File, this.fileBody(path, units));
  }

  fileBody(path: string, units: readonly (readonly [number, number])[]): EntryBody {
    const extents = units.map(([first, count]) => (
      { device: 0, offset: this.dataStart + first * UNIT, length: count * UNIT }));
    const size = extents.reduce((sum, { length }) => sum + length, 0);
    const map = { extentType: 0, extentCount: extents.length, extents };
    return { kind: 'file', path, size, flags: 2, uid: 0, gid: 0, mode: 0o644, ...map };
  }

  /** Stores the log's counters. */
  count(nextIndex: number, nextSeqnum = nextIndex): void {
    this.log.store64(LogHeader.nextSeqnumOffset, BigInt(nextSeqnum));
    this.log.store64(LogHeader.nextIndexOffset, BigInt(nextIndex));
  }

  word(index: number): bigint {
    return this.log.load64(stateOffset(index));
  }

  /** Stores a state word, and says so. */
  setWord(index: number, word: bigint): void {
    this.log.store64(stateOffset(index), word);
    this.change();
  }

  change(): void {
    this.device.superblock.store64(ClaimLayout.changeWord, this.#changes++);
  }

  /** Writes the claim of an epoch with a list of guards. */
  claim(epoch: number, guards: readonly SlotRange[]): void {
    const head = { uuid, epoch, firstEpoch: 1, clusterUuid: uuid, holder: `host/${epoch}`, bootId: uuid };
    this.device.superblock.store(recordOffset(epoch), encodeClaimHead(head));
    this.device.superblock.store(recordOffset(epoch) + ClaimLayout.list, encodeClaimList(head, { guards, abandoned: [] }));
    this.change();
  }
}

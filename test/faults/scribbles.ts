import { ClaimLayout, recordOffset } from '../../src/famfs/format/claim-record.ts';
import { EntryLayout } from '../../src/famfs/format/entry-layout.ts';
import { entryOffset, LogHeader, stateOffset } from '../../src/famfs/format/log-header.ts';
import { EntryType } from '../../src/famfs/format/state-word.ts';
import { Superblock, superblockStruct } from '../../src/famfs/format/superblock.ts';
import type { Random } from '../fuzz/random.ts';

/** Bytes that somebody stores where only the writer may; `at` is an offset in the device. */
export interface Scribble {
  readonly at: number;
  readonly bytes: Buffer;
}

/** What a pool is like who is scribbled over: its metadata, and how many slots of its log are used. */
export interface Victim {
  readonly metadata: Buffer;
  readonly slotsUsed: number;
  readonly slotsTotal: number;
  /** Entries of volumes in use, which are aimed at more than others. */
  readonly inUse: { readonly first: number; readonly count: number };
}

const LOG = Superblock.regionLength;
const UUID = superblockStruct.fields.uuid;
const BEHIND_IDENTITY = ClaimLayout.logLife + 8;
/** Slots behind the log's end that are worth a scribble. */
const BEHIND = 16;

/**
 * What is scribbled, by name. Nothing of it is what a writer could have stored: whoever stores a
 * delete, or a whole entry with its CRC, has deleted, or appended. Nor are there the words that say
 * which pool it is: whoever changes them has put another pool there, and sessions end.
 */
export const scribbles: Readonly<Record<string, (victim: Victim, random: Random) => Scribble>> = {
  'bytes of an entry': (victim, random) => {
    const slot = slotOf(victim, random);
    // Not of the state word: by chance these could be legal.
    const at = EntryLayout.payload + random.below(EntryLayout.size - EntryLayout.payload - 64);
    return { at: LOG + entryOffset(slot) + at, bytes: noise(random, 1 + random.below(64)) };
  },
  'a state word': (victim, random) => ({ at: LOG + stateOffset(slotOf(victim, random)), bytes: noise(random, 8) }),
  'a type alone': (victim, random) => {
    const at = LOG + stateOffset(slotOf(victim, random));
    const others = [2, 3, 4, 0x1001, 0x1002, 0xffffffff].filter((type) => type !== victim.metadata.readUInt32LE(at));
    return { at, bytes: word32(random.pick(others)) };
  },
  'zeros over an entry': (victim, random) => ({ at: LOG + entryOffset(slotOf(victim, random)), bytes: Buffer.alloc(EntryLayout.size) }),
  'an entry in the place of another': ({ slotsUsed, metadata }, random) => {
    // A live one: the state word of a dead one is a delete.
    const live = Array.from({ length: slotsUsed }, (_, slot) => slot).filter((slot) => metadata.readUInt32LE(LOG + stateOffset(slot)) <= EntryType.Directory);
    const at = LOG + entryOffset(random.pick(live));
    return { at: LOG + entryOffset(random.below(slotsUsed + BEHIND)), bytes: Buffer.from(metadata.subarray(at, at + EntryLayout.size)) };
  },
  'noise behind the end': ({ slotsUsed }, random) => ({ at: LOG + entryOffset(slotsUsed + random.below(BEHIND)), bytes: noise(random, EntryLayout.size) }),
  'next_index': (victim, random) => ({ at: LOG + LogHeader.nextIndexOffset, bytes: counter(victim, random) }),
  'next_seqnum': (victim, random) => ({ at: LOG + LogHeader.nextSeqnumOffset, bytes: counter(victim, random) }),
  'the log header': (_victim, random) => ({ at: LOG + random.below(4) * 8, bytes: noise(random, 8) }),
  'the change word': (_victim, random) => ({ at: ClaimLayout.changeWord, bytes: noise(random, 8) }),
  'the head of a claim': (_victim, random) => {
    const at = random.below(ClaimLayout.headLength - 8);
    return { at: recordOffset(random.below(ClaimLayout.records)) + at, bytes: noise(random, 8) };
  },
  'the head of a claim in use': ({ metadata }, random) => ({ at: usedRecord(metadata, random) + random.below(136), bytes: noise(random, 8) }),
  'a word of a claim in use': ({ metadata }, random) => {
    const words = [ClaimLayout.heartbeat, ClaimLayout.scrubbing, ClaimLayout.closed, ClaimLayout.scrubbed];
    return { at: usedRecord(metadata, random) + random.pick(words), bytes: noise(random, 8) };
  },
  'the list of a claim in use': ({ metadata }, random) => ({ at: usedRecord(metadata, random) + ClaimLayout.list + random.below(24), bytes: noise(random, 8) }),
  'the splitters': (_victim, random) => ({ at: ClaimLayout.splitters + random.below(256) * ClaimLayout.splitterLength, bytes: noise(random, 16) }),
  'the superblock': (_victim, random) => {
    const [start, end] = random.pick([[0, UUID.offset], [UUID.offset + UUID.size, Superblock.length]]);
    const at = start + random.below(end - start);
    return { at, bytes: noise(random, Math.min(1 + random.below(16), end - at)) };
  },
  'all of the superblock before the UUID': () => ({ at: 0, bytes: Buffer.alloc(UUID.offset) }),
  'bytes anywhere': (_victim, random) => ({ at: BEHIND_IDENTITY + random.below(LOG - BEHIND_IDENTITY - 4096), bytes: noise(random, 1 + random.below(4096)) }),
};

function slotOf({ slotsUsed, inUse }: Victim, random: Random): number {
  return random.chance(2) ? random.below(slotsUsed) : inUse.first + random.below(inUse.count);
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => 1 + random.below(255)));
}

function word32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Too low, too high, a little beside the truth, or nonsense. */
function counter({ slotsUsed, slotsTotal }: Victim, random: Random): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(random.pick([
    0, 1, random.below(slotsUsed), slotsUsed - 1, slotsUsed + 1, slotsUsed + random.below(BEHIND), slotsTotal, slotsTotal + 1, 2 ** 32, 2 ** 53,
  ])));
  return random.chance(8) ? noise(random, 8) : bytes;
}

function usedRecord(metadata: Buffer, random: Random): number {
  const used = Array.from({ length: ClaimLayout.records }, (_, number) => recordOffset(number)).filter((at) => metadata[at] !== 0);
  return used.length === 0 ? recordOffset(1) : random.pick(used);
}

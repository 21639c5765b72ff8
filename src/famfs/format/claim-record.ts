import { crc32 } from 'node:zlib';
import { readU64, struct, text, u32, u64, uuid, writeU64 } from './struct.ts';

/**
 * Where writers say who rules, in the superblock region from byte 4096 on, which the reference
 * tools never touch: one change word, then a ring of 64 records of 16 KiB. Rules: docs/words.md.
 *
 * A record: the head (written once), single words on cache lines of their own, and the list
 * (written once). Nothing is rewritten in place.
 */
export const ClaimLayout = {
  /** 8 bytes: epoch in the upper half, a count in the lower; changes with every change of a state. */
  changeWord: 4096,
  /** 8 bytes: drawn anew whenever log indices get another meaning; 0 in pools of earlier versions. On a cache line of its own,
   * since every request loads it. See pool-identity.ts. */
  logLife: 4160,
  ring: 16384,
  records: 64,
  recordLength: 16384,
  headLength: 144,
  headCrcLength: 136,
  /** Words of a record, outside both CRCs. */
  heartbeat: 192,
  scrubbing: 256,
  closed: 320,
  /** Bytes of the entry being scrubbed that are done: for people only. */
  scrubbed: 384,
  list: 1024,
  listHead: 16,
  guardsMax: 1024,
  /** Slots of all guard ranges of a list together. */
  guardedSlotsMax: 4096,
  /** Slots of one guard: as many as a batch has entries. A range has a multiple of it. */
  guardSlots: 4,
  abandonedMax: 1024,
  /** Behind the ring: a splitter for each epoch, on a cache line of its own. See epoch-choice.ts. */
  splitters: 0x180000,
  splitterLength: 64,
  splitterCount: 8192,
} as const;

export const CLAIM_VERSION = 1;
/** Scrub word: the number of the entry whose memory is being zeroed, plus one; or the whole pool. */
export const SCRUB_POOL = 0xffffffffn;

export const claimHeadStruct = struct({
  magic: u64(0),
  version: u32(8),
  /** Where the ring began: after 64 epochs an empty record belongs to somebody. */
  firstEpoch: u32(12),
  uuid: uuid(16),
  epoch: u64(32),
  clusterUuid: uuid(40),
  holder: text(56, 64),
  bootId: uuid(120),
  crc: u64(136),
});

export type ClaimHead = ReturnType<typeof claimHeadStruct.decode>;

/** "famfsclm" in memory order, the upper bits of which a Number cannot hold: compared as bytes. */
const MAGIC = Buffer.from('famfsclm', 'latin1');
const EMPTY_HEAD = Buffer.alloc(ClaimLayout.headLength);

/** Slots that every reader skips, whatever they hold. */
export interface SlotRange {
  readonly first: number;
  readonly count: number;
}

export interface ClaimList {
  readonly guards: readonly SlotRange[];
  /** Entries whose memory a former writer may still be zeroing. */
  readonly abandoned: readonly number[];
}

export function recordOffset(epoch: number): number {
  return ClaimLayout.ring + (epoch % ClaimLayout.records) * ClaimLayout.recordLength;
}

/** The 144 bytes of a head, with its CRC. */
export function encodeClaimHead(head: Omit<ClaimHead, 'magic' | 'version' | 'crc'>): Buffer {
  const bytes = Buffer.alloc(ClaimLayout.headLength);
  claimHeadStruct.encode({ ...head, magic: 0, version: CLAIM_VERSION, crc: 0 }, bytes);
  MAGIC.copy(bytes);
  writeU64(bytes, ClaimLayout.headCrcLength, crc32(bytes.subarray(0, ClaimLayout.headCrcLength)));
  return bytes;
}

export type HeadVerdict =
  | { readonly verdict: 'valid'; readonly head: ClaimHead }
  | { readonly verdict: 'newer'; readonly version: number; readonly epoch: number }
  | { readonly verdict: 'empty' }
  | { readonly verdict: 'none' };

/**
 * Judges the head at `at`. A record of another file system does not exist (`none`), nor does one
 * that a CRC or its place denies; `newer` has to be refused by who meets it.
 */
export function decodeClaimHead(bytes: Buffer, at: number, fileSystem: string, number: number): HeadVerdict {
  const copy = Buffer.from(bytes.subarray(at, at + ClaimLayout.headLength));
  if (copy.equals(EMPTY_HEAD)) return { verdict: 'empty' };
  if (!copy.subarray(0, 8).equals(MAGIC)) return { verdict: 'none' };
  const head = claimHeadStruct.decode(copy);
  if (head.crc !== crc32(copy.subarray(0, ClaimLayout.headCrcLength))) return { verdict: 'none' };
  if (head.uuid !== fileSystem.toLowerCase()) return { verdict: 'none' };
  if (head.version !== CLAIM_VERSION) return { verdict: 'newer', version: head.version, epoch: head.epoch };
  const placed = head.epoch > 0 && head.epoch < 2 ** 32 && head.epoch % ClaimLayout.records === number;
  return placed ? { verdict: 'valid', head } : { verdict: 'none' };
}

/** The bytes of a list, with a CRC that covers the head's epoch and holder too. */
export function encodeClaimList(head: Pick<ClaimHead, 'epoch' | 'holder'>, list: ClaimList): Buffer {
  const { guards, abandoned } = list;
  const bytes = Buffer.alloc(ClaimLayout.listHead + guards.length * 8 + abandoned.length * 4);
  bytes.writeUInt32LE(guards.length, 8);
  bytes.writeUInt32LE(abandoned.length, 12);
  let at: number = ClaimLayout.listHead;
  for (const { first, count } of guards) {
    at = bytes.writeUInt32LE(count, bytes.writeUInt32LE(first, at));
  }
  for (const entry of abandoned) at = bytes.writeUInt32LE(entry, at);
  writeU64(bytes, 0, listCrc(head, bytes));
  return bytes;
}

/** The list of the record at `at`, or undefined when none was written completely. */
export function decodeClaimList(bytes: Buffer, at: number, head: Pick<ClaimHead, 'epoch' | 'holder'>): ClaimList | undefined {
  const start = at + ClaimLayout.list;
  const guardCount = bytes.readUInt32LE(start + 8);
  const abandonedCount = bytes.readUInt32LE(start + 12);
  if (guardCount > ClaimLayout.guardsMax || abandonedCount > ClaimLayout.abandonedMax) return undefined;
  const length = ClaimLayout.listHead + guardCount * 8 + abandonedCount * 4;
  const copy = Buffer.from(bytes.subarray(start, start + length));
  if (copy.readUInt32LE(8) !== guardCount || copy.readUInt32LE(12) !== abandonedCount) return undefined;
  if (readU64(copy, 0) !== listCrc(head, copy)) return undefined;
  const abandonedAt = ClaimLayout.listHead + guardCount * 8;
  return {
    guards: Array.from({ length: guardCount }, (_, k) => ({
      first: copy.readUInt32LE(ClaimLayout.listHead + k * 8),
      count: copy.readUInt32LE(ClaimLayout.listHead + k * 8 + 4),
    })),
    abandoned: Array.from({ length: abandonedCount }, (_, k) => copy.readUInt32LE(abandonedAt + k * 4)),
  };
}

function listCrc(head: Pick<ClaimHead, 'epoch' | 'holder'>, bytes: Buffer): number {
  const who = Buffer.alloc(72);
  writeU64(who, 0, head.epoch);
  who.write(head.holder, 8, 'utf8');
  return crc32(bytes.subarray(8), crc32(who));
}

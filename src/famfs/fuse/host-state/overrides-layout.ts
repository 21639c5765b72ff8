/**
 * The host-local override table: a header of 4096 bytes, then 65536 slots of 64 bytes, all of
 * 32-bit words.
 */

/** Words of the header. */
export const Header = Object.freeze({
  magic: 0, slots: 1, generation: 2, used: 3, groups: 4, notified: 5, born: 6 /* 2 words */, boot: 8, /* 4 words */
  released: 12, /* counts slots that were given back; 0 from versions before */
} as const);

/** Words of a slot. */
export const Slot = Object.freeze({
  words: 16, sequence: 0, node: 1, fields: 2, mode: 3, uid: 4, gid: 5, group: 6, atime: 7, mtime: 9,
  ctime: 11, atimensec: 13, mtimensec: 14, ctimensec: 15,
} as const);

const HEADER_BYTES = 4096;
const SLOTS = 65536;

export const TABLE = Object.freeze({
  magic: 0x5672764f, // "OvrV"; the layout's version is in its last letter
  headerBytes: HEADER_BYTES,
  slots: SLOTS,
  /** Index of the first slot's first word. */
  first: HEADER_BYTES / 4,
  words: HEADER_BYTES / 4 + SLOTS * Slot.words,
  length: HEADER_BYTES + SLOTS * Slot.words * 4,
  /** Beyond this, probing gets long. */
  mostUsed: (SLOTS / 4) * 3,
  /** A volume may have one part in so many of what is free. */
  share: 8,
  /** In the place of a node id: a slot that was given back, with others behind it. */
  tombstone: 0xffff_ffff,
  lastNode: 0xffff_fffe,
  /** Fibonacci hashing: neighbouring ids, which are frequent, do not pile up. */
  hash: (node: number) => Math.imul(node, 0x9e3779b1) >>> 16,
} as const);

/** Which parts of an override are set. */
export const OverrideField = Object.freeze({
  mode: 1, uid: 2, gid: 4, group: 8, atime: 16, mtime: 32, ctime: 64,
} as const);

const TWO_32 = 0x1_0000_0000;

/** One node's override. Only what `fields` names is meaningful. */
export class Override {
  fields = 0;
  /** Permission bits. */
  mode = 0;
  uid = 0;
  gid = 0;
  /** Mount group of a directory. */
  group = 0;
  /** Seconds since the epoch, signed. */
  atime = 0;
  mtime = 0;
  ctime = 0;
  atimensec = 0;
  mtimensec = 0;
  ctimensec = 0;

  has(field: number): boolean {
    return (this.fields & field) !== 0;
  }

  /** Reads a slot. */
  load(words: Uint32Array, slot: number): void {
    this.fields = words[slot + Slot.fields];
    this.mode = words[slot + Slot.mode];
    this.uid = words[slot + Slot.uid];
    this.gid = words[slot + Slot.gid];
    this.group = words[slot + Slot.group];
    this.atime = loadSeconds(words, slot + Slot.atime);
    this.mtime = loadSeconds(words, slot + Slot.mtime);
    this.ctime = loadSeconds(words, slot + Slot.ctime);
    this.atimensec = words[slot + Slot.atimensec];
    this.mtimensec = words[slot + Slot.mtimensec];
    this.ctimensec = words[slot + Slot.ctimensec];
  }

  /** Writes a slot, except for its sequence and node. */
  store(words: Uint32Array, slot: number): void {
    words[slot + Slot.fields] = this.fields;
    words[slot + Slot.mode] = this.mode;
    words[slot + Slot.uid] = this.uid;
    words[slot + Slot.gid] = this.gid;
    words[slot + Slot.group] = this.group;
    storeSeconds(words, slot + Slot.atime, this.atime);
    storeSeconds(words, slot + Slot.mtime, this.mtime);
    storeSeconds(words, slot + Slot.ctime, this.ctime);
    words[slot + Slot.atimensec] = this.atimensec;
    words[slot + Slot.mtimensec] = this.mtimensec;
    words[slot + Slot.ctimensec] = this.ctimensec;
  }
}

function loadSeconds(words: Uint32Array, at: number): number {
  return words[at] + (words[at + 1] | 0) * TWO_32;
}

function storeSeconds(words: Uint32Array, at: number, seconds: number): void {
  words[at] = seconds % TWO_32;
  words[at + 1] = Math.floor(seconds / TWO_32);
}

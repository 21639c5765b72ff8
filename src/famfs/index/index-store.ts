import { adviseHugePages, populateAhead } from '../device/libc.ts';

/**
 * The tree that a log describes, in one SharedArrayBuffer: written by the one replaying thread,
 * read by any. Every log entry has a row of 44 bytes, found by its node id, which is the
 * entry's log index + 2; row 1 is the root. What varies in length, or is the same for most, stands
 * in arenas behind the rows: names, owners, and maps that do not follow from a row. The buffer is as
 * large as the log could ever need, and the system gives memory only to what is touched.
 */
export const ROOT = 1;
export const FIRST_NODE = 2;

/** The node id of a log entry. */
export function nodeOf(index: number): number {
  return index + FIRST_NODE;
}

/** The log entry of a node id. */
export function indexOf(node: number): number {
  return node - FIRST_NODE;
}

/** 4-byte words of a row. */
export const Row = {
  words: 11,
  /** Status and flags in bits 0 to 7, name length in 8 to 15, permission bits in 16 to 27, more flags in 28 to 31. */
  state: 0,
  parent: 1,
  nameHash: 2,
  nextInBucket: 3,
  nextSibling: 4,
  previousSibling: 5,
  /** Of a directory. */
  firstChild: 6,
  lastChild: 7,
  childCount: 10,
  /** Of a file: where its map begins in the arena; with State.oneExtent, the allocation unit it begins at. */
  mapAt: 6,
  /** Of a file: number of extents in bits 0 to 7, upper part of the size in 8 to 28. */
  countAndSize: 7,
  sizeLow: 10,
  nameAt: 8,
  /** Where uid and gid stand in the arena of owners. */
  ownerAt: 9,
} as const;

/** A directory with more children than this has them hashed; in smaller ones they are searched. */
export const SEARCHED_MAX = 8;

/** What an entry is to a reader. */
export const Status = {
  /** Not applied yet. */
  Absent: 0,
  Live: 1,
  /** Deleted; its memory is not free yet. */
  Quarantined: 2,
  /** Deleted, and its memory given back. */
  Void: 3,
  /** Colliding or impossible: no file, but its memory counts as allocated. */
  Rejected: 4,
  /** Guarded slots, and types that mean nothing here. */
  Skipped: 5,
  /** A directory made again: harmless, and the one that counts should the first one go. */
  Repeated: 6,
} as const;

/**
 * Bits of Row.state. The map of an interleaved file begins with its chunk size; one extent that is the
 * file's size, rounded up to allocation units, needs no map: what this driver makes where memory is in one piece.
 */
export const State = {
  status: 0x7, directory: 0x8, oddPadding: 0x10, hashed: 0x20, interleaved: 0x40, oneExtent: 0x80,
  /** A later entry was refused because of this one: when this one goes, that one may come to life. */
  inTheWay: 0x1000_0000,
  /** Its state word is one that no writer stores. */
  badWord: 0x2000_0000,
  /** It has proven others void by having some of their memory (rule R2): when it is void, they are as their words say. */
  isProof: 0x4000_0000,
  /** Its state word says quarantined, and something else counts: it is refused, or proven void. */
  saysQuarantined: 0x8000_0000,
} as const;

/** The permission bits in Row.state. */
export function permissionsOf(state: number): number {
  return (state >>> 16) & 0o7777;
}

/** 4-byte words of the shared header. */
export const Header = {
  /** Odd while the writer changes something: readers retry. */
  sequence: 0,
  /** Counts what readers asked for, and what was done. */
  requested: 1,
  served: 2,
  /** The log's counter and change word when the last replay began. */
  seenNextIndex: 3,
  seenChangeLow: 4,
  seenChangeHigh: 5,
  namesUsed: 6,
  mapsUsed: 7,
  hashSeed: 8,
  files: 9,
  directories: 10,
  slotsUsed: 11,
  ownersUsed: 12,
  words: 16,
} as const;

/** 8-byte floats of the shared header. */
export const Totals = { total: 0, free: 1, quarantined: 2, count: 8 } as const;

const NAME_MAX = 80;
/** Half the entries are directories with a longer name. */
const TYPICAL_NAME = 20;
/** Entries from which on the index is worth huge pages. */
const LARGE_LOG = 100_000;
/** 8-byte floats of the largest map. */
const MAP_MAX = 1 + 16 * 2;

/** What a thread needs to read the index. Can be structured-cloned. */
export interface IndexHandle {
  readonly uuid: string;
  /** See PoolIdentity. */
  readonly identity: readonly number[];
  readonly allocationUnit: number;
  readonly logLength: number;
  readonly capacity: number;
  readonly shared: SharedArrayBuffer;
}

/** Where the memory of a file lies. */
export interface FileMap {
  /** Pool address and length of each extent, from `at` on. */
  readonly extents: Float64Array;
  readonly at: number;
  readonly count: number;
  /** 0 where the file is not interleaved. */
  readonly chunkSize: number;
}

/** Which memory a FILE entry names, as it was read and checked: from this the index makes its map. */
export interface CheckedMap {
  /** Bytes of the file. */
  readonly size: number;
  readonly count: number;
  /** Of each extent, or strip: its pool address, and its bytes. */
  readonly addresses: Float64Array;
  readonly lengths: Float64Array;
  /** 0 where the file is not interleaved. */
  readonly chunkSize: number;
}

/** The arrays of an index over its buffer. */
export class IndexStore {
  readonly header: Int32Array;
  readonly totals: Float64Array;
  readonly rows: Int32Array;
  readonly buckets: Int32Array;
  /** Maps of files: pool address and length of each extent. */
  readonly maps: Float64Array;
  /** Pairs of uid and gid; the first one is root's. */
  readonly owners: Uint32Array;
  readonly names: Uint8Array;
  /** The same names, four bytes at a time: each begins at a multiple of four. */
  readonly nameWords: Uint32Array;
  readonly bucketMask: number;
  readonly #oneExtent = new Float64Array(2);

  constructor(capacity: number, buffer: ArrayBufferLike) {
    const layout = plan(capacity);
    this.header = new Int32Array(buffer, 0, Header.words);
    this.totals = new Float64Array(buffer, layout.totals, Totals.count);
    this.rows = new Int32Array(buffer, layout.rows, (capacity + FIRST_NODE) * Row.words);
    this.buckets = new Int32Array(buffer, layout.buckets, layout.bucketCount);
    this.maps = new Float64Array(buffer, layout.maps, capacity * MAP_MAX);
    this.owners = new Uint32Array(buffer, layout.owners, (capacity + 1) * 2);
    this.names = new Uint8Array(buffer, layout.names, capacity * NAME_MAX);
    this.nameWords = new Uint32Array(buffer, layout.names, (capacity * NAME_MAX) / 4);
    this.bucketMask = layout.bucketCount - 1;
  }

  static bytes(capacity: number): number {
    return plan(capacity).total;
  }

  /**
   * Memory for an index that so many entries will fill soon. A long log fills much: in large pages, made while the
   * replay is under way.
   */
  static sharedMemory(capacity: number, entries: number): SharedArrayBuffer {
    const layout = plan(capacity);
    const shared = new SharedArrayBuffer(layout.total);
    if (entries < LARGE_LOG) return shared;
    adviseHugePages(shared);
    populateAhead(shared, layout.rows, entries * Row.words * 4);
    populateAhead(shared, layout.buckets, layout.bucketCount * 4);
    populateAhead(shared, layout.names, entries * TYPICAL_NAME);
    return shared;
  }

  /** Bytes of a file. */
  size(node: number): number {
    const row = node * Row.words;
    return (this.rows[row + Row.sizeLow] >>> 0) + (this.rows[row + Row.countAndSize] >>> 8) * 0x100000000;
  }

  /** The map of a file; what it answers holds until the next call. */
  map(node: number, allocationUnit: number): FileMap {
    const row = node * Row.words;
    const state = this.rows[row + Row.state];
    const mapAt = this.rows[row + Row.mapAt];
    const count = this.rows[row + Row.countAndSize] & 0xff;
    if ((state & State.oneExtent) !== 0) {
      this.#oneExtent[0] = (mapAt >>> 0) * allocationUnit;
      this.#oneExtent[1] = Math.ceil(this.size(node) / allocationUnit) * allocationUnit;
      return { extents: this.#oneExtent, at: 0, count, chunkSize: 0 };
    }
    if ((state & State.interleaved) === 0) return { extents: this.maps, at: mapAt, count, chunkSize: 0 };
    return { extents: this.maps, at: mapAt + 1, count, chunkSize: this.maps[mapAt] };
  }

  /** Takes over the content of another store of the same capacity; only what is in use is copied. */
  copyFrom(other: IndexStore, rows: number): void {
    this.rows.set(other.rows.subarray(0, rows * Row.words));
    this.buckets.set(other.buckets);
    this.maps.set(other.maps.subarray(0, other.header[Header.mapsUsed]));
    this.owners.set(other.owners.subarray(0, other.header[Header.ownersUsed]));
    this.names.set(other.names.subarray(0, other.header[Header.namesUsed]));
    this.totals.set(other.totals);
    for (const word of [Header.namesUsed, Header.mapsUsed, Header.ownersUsed, Header.hashSeed, Header.files, Header.directories, Header.slotsUsed]) {
      this.header[word] = other.header[word];
    }
  }
}

function plan(capacity: number) {
  // Half the entries are alone in their directory, and not hashed.
  const bucketCount = 2 ** Math.floor(Math.log2(Math.max(capacity / 2, 16)));
  const totals = Header.words * 4;
  const rows = totals + Totals.count * 8;
  const buckets = rows + (capacity + FIRST_NODE) * Row.words * 4;
  const maps = Math.ceil((buckets + bucketCount * 4) / 8) * 8;
  const owners = maps + capacity * MAP_MAX * 8;
  const names = owners + (capacity + 1) * 8;
  return { totals, rows, buckets, bucketCount, maps, owners, names, total: names + capacity * NAME_MAX };
}

/** One step of the name hash: four bytes of the name, the last ones filled up with zeros. */
export function hashStep(hash: number, bytes: number): number {
  const mixed = Math.imul(hash ^ bytes, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** Hash of a name; seeded per index, so that no log can be made to collide. */
export function hashName(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed;
  for (let k = from; k < to; k += 4) {
    let group = bytes[k];
    if (k + 1 < to) group |= bytes[k + 1] << 8;
    if (k + 2 < to) group |= bytes[k + 2] << 16;
    if (k + 3 < to) group |= bytes[k + 3] << 24;
    hash = hashStep(hash, group);
  }
  return hash;
}

/** Where to look for a name in a hashed directory. */
export function bucketOf(parent: number, nameHash: number, mask: number): number {
  const mixed = Math.imul(nameHash ^ Math.imul(parent, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & mask;
}

export const SLASH = 0x2f;

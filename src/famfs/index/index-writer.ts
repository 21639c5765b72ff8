import type { Run } from '../alloc/free-runs.ts';
import {
  bucketOf, type CheckedMap, Header, type IndexStore, ROOT, Row, SEARCHED_MAX, State, Status,
} from './index-store.ts';

/** Changes to the tree. Only the replaying thread makes them. */
export class IndexWriter {
  store: IndexStore;
  readonly seed: number;
  #rows: Int32Array;
  /** The file linked last, or 0: in volumes as the driver makes them all files have one name, which is kept once. */
  #lastFile = 0;
  /** The pair of owners that was added last. */
  #lastOwner = 0;
  readonly #allocationUnit: number;

  constructor(store: IndexStore, seed: number, allocationUnit: number) {
    this.store = store;
    this.seed = seed;
    this.#allocationUnit = allocationUnit;
    this.#rows = store.rows;
    store.header[Header.hashSeed] = seed;
    store.header[Header.ownersUsed] = 2; // root's
    store.header[Header.directories] = 1;
    const root = ROOT * Row.words;
    this.#rows[root + Row.state] = Status.Live | State.directory | (0o755 << 16);
    this.#rows[root + Row.parent] = ROOT;
  }

  /** Goes on in another store, which holds a copy of what was written so far. */
  moveTo(store: IndexStore): void {
    this.store = store;
    this.#rows = store.rows;
  }

  status(node: number): number {
    return this.#rows[node * Row.words + Row.state] & State.status;
  }

  isDirectory(node: number): boolean {
    return this.has(node, State.directory);
  }

  /** Whether one of the flags of `State` is set. */
  has(node: number, flag: number): boolean {
    return (this.#rows[node * Row.words + Row.state] & flag) !== 0;
  }

  setStatus(node: number, status: number): void {
    const at = node * Row.words + Row.state;
    this.#rows[at] = (this.#rows[at] & ~State.status) | status;
  }

  /** Sets flags of `State`. */
  mark(node: number, flags: number): void {
    this.#rows[node * Row.words + Row.state] |= flags;
  }

  /** Takes flags of `State` away. */
  unmark(node: number, flags: number): void {
    this.#rows[node * Row.words + Row.state] &= ~flags;
  }

  /** The linked child whose name stands in bytes [from, to), or 0. */
  child(parent: number, bytes: Uint8Array, from: number, to: number, nameHash: number): number {
    const rows = this.#rows;
    const directory = parent * Row.words;
    const hashed = (rows[directory + Row.state] & State.hashed) !== 0;
    const { buckets, bucketMask } = this.store;
    let node = hashed ? buckets[bucketOf(parent, nameHash, bucketMask)] : rows[directory + Row.firstChild];
    while (node !== 0) {
      const row = node * Row.words;
      if (rows[row + Row.nameHash] === nameHash && rows[row + Row.parent] === parent && this.#nameIs(row, bytes, from, to)) return node;
      node = rows[row + (hashed ? Row.nextInBucket : Row.nextSibling)];
    }
    return 0;
  }

  /** Links a new node. Its name stands in bytes [from, to) of `words`; words [at, ...) are uid, gid and mode. */
  link(
    node: number, parent: number, state: number, bytes: Uint8Array, from: number, to: number, nameHash: number,
    words: Uint32Array, at: number,
  ): void {
    const { header } = this.store;
    const rows = this.#rows;
    const row = node * Row.words;
    const isFile = (state & State.directory) === 0;
    const last = this.#lastFile * Row.words;
    const nameAt = isFile && last !== 0 && this.#nameIs(last, bytes, from, to) ? rows[last + Row.nameAt] : this.#addName(bytes, from, to, words);
    if (isFile) this.#lastFile = node;
    header[isFile ? Header.files : Header.directories]++;
    rows[row + Row.state] = state | ((to - from) << 8) | ((words[at + 2] & 0o7777) << 16);
    rows[row + Row.parent] = parent;
    rows[row + Row.nameHash] = nameHash;
    rows[row + Row.nameAt] = nameAt;
    rows[row + Row.ownerAt] = this.#ownerAt(words[at], words[at + 1]);
    const directory = parent * Row.words;
    const before = rows[directory + Row.lastChild];
    rows[row + Row.previousSibling] = before;
    if (before === 0) rows[directory + Row.firstChild] = node;
    else rows[before * Row.words + Row.nextSibling] = node;
    rows[directory + Row.lastChild] = node;
    const count = ++rows[directory + Row.childCount];
    if ((rows[directory + Row.state] & State.hashed) !== 0) this.#hash(node);
    else if (count > SEARCHED_MAX) this.#hashChildren(parent);
  }

  /** Remembers which memory a node's entry names. */
  addMap(node: number, map: CheckedMap): void {
    const { header, maps } = this.store;
    const rows = this.#rows;
    const row = node * Row.words;
    const sizeHigh = (map.size / 0x100000000) | 0;
    rows[row + Row.countAndSize] = map.count | (sizeHigh << 8);
    rows[row + Row.sizeLow] = map.size - sizeHigh * 0x100000000;
    if (this.#isOneExtent(map)) {
      rows[row + Row.state] |= State.oneExtent;
      rows[row + Row.mapAt] = map.addresses[0] / this.#allocationUnit;
      return;
    }
    let at = header[Header.mapsUsed];
    rows[row + Row.mapAt] = at;
    if (map.chunkSize !== 0) {
      rows[row + Row.state] |= State.interleaved;
      maps[at++] = map.chunkSize;
    }
    for (let k = 0; k < map.count; k++) {
      maps[at++] = map.addresses[k];
      maps[at++] = map.lengths[k];
    }
    header[Header.mapsUsed] = at;
  }

  /** The memory that a node's entry names. */
  extents(node: number): Run[] {
    if (this.isDirectory(node)) return [];
    const { extents, at, count } = this.store.map(node, this.#allocationUnit);
    return Array.from({ length: count }, (_, k) => ({ start: extents[at + 2 * k], end: extents[at + 2 * k] + extents[at + 2 * k + 1] }));
  }

  /** Loads where a name would be found in the root: see LogReplay.advance. */
  touch(hashes: Int32Array, count: number): number {
    const { buckets, bucketMask } = this.store;
    let touched = 0;
    for (let k = 0; k < count; k++) touched ^= buckets[bucketOf(ROOT, hashes[k], bucketMask)];
    return touched;
  }

  /**
   * Takes a node out of its directory and its bucket. Its own row keeps the way to the next
   * sibling, so that a reader that stands on it finds on.
   */
  unlink(node: number): void {
    const rows = this.#rows;
    const row = node * Row.words;
    const parent = rows[row + Row.parent] * Row.words;
    const next = rows[row + Row.nextSibling];
    const previous = rows[row + Row.previousSibling];
    if (previous !== 0) rows[previous * Row.words + Row.nextSibling] = next;
    else rows[parent + Row.firstChild] = next;
    if (next !== 0) rows[next * Row.words + Row.previousSibling] = previous;
    else rows[parent + Row.lastChild] = previous;
    rows[parent + Row.childCount]--;
    if ((rows[parent + Row.state] & State.hashed) !== 0) this.#unhash(node);
    this.store.header[this.isDirectory(node) ? Header.directories : Header.files]--;
  }

  /** Copies a name behind those that are there; answers where it is. */
  #addName(bytes: Uint8Array, from: number, to: number, words: Uint32Array): number {
    const { header, names, nameWords } = this.store;
    const nameAt = header[Header.namesUsed];
    header[Header.namesUsed] = (nameAt + (to - from) + 3) & ~3;
    let [k, j] = [from, nameAt];
    if ((from & 3) === 0) for (; k + 4 <= to; k += 4, j += 4) nameWords[j >>> 2] = words[k >>> 2];
    for (; k < to; k++, j++) names[j] = bytes[k];
    return nameAt;
  }

  /** Where a pair of uid and gid stands: most entries have the same one, or root's. */
  #ownerAt(uid: number, gid: number): number {
    const { header, owners } = this.store;
    for (const at of [0, this.#lastOwner]) if (owners[at] === uid && owners[at + 1] === gid) return at;
    const at = this.#lastOwner = header[Header.ownersUsed];
    header[Header.ownersUsed] = at + 2;
    owners[at] = uid;
    owners[at + 1] = gid;
    return at;
  }

  /** Whether a map follows from the file's size and where it begins. */
  #isOneExtent({ count, chunkSize, size, addresses, lengths }: CheckedMap): boolean {
    const unit = this.#allocationUnit;
    return count === 1 && chunkSize === 0 && lengths[0] === Math.ceil(size / unit) * unit && addresses[0] / unit <= 0xffffffff;
  }

  #hashChildren(parent: number): void {
    const directory = parent * Row.words;
    this.#rows[directory + Row.state] |= State.hashed;
    for (let child = this.#rows[directory + Row.firstChild]; child !== 0; child = this.#rows[child * Row.words + Row.nextSibling]) {
      this.#hash(child);
    }
  }

  #hash(node: number): void {
    const bucket = this.#bucket(node);
    this.#rows[node * Row.words + Row.nextInBucket] = this.store.buckets[bucket];
    this.store.buckets[bucket] = node;
  }

  #unhash(node: number): void {
    const rows = this.#rows;
    const bucket = this.#bucket(node);
    const next = rows[node * Row.words + Row.nextInBucket];
    let at = this.store.buckets[bucket];
    if (at === node) {
      this.store.buckets[bucket] = next;
      return;
    }
    while (rows[at * Row.words + Row.nextInBucket] !== node) at = rows[at * Row.words + Row.nextInBucket];
    rows[at * Row.words + Row.nextInBucket] = next;
  }

  #bucket(node: number): number {
    const row = node * Row.words;
    return bucketOf(this.#rows[row + Row.parent], this.#rows[row + Row.nameHash], this.store.bucketMask);
  }

  #nameIs(row: number, bytes: Uint8Array, from: number, to: number): boolean {
    if (((this.#rows[row + Row.state] >>> 8) & 0xff) !== to - from) return false;
    const { names } = this.store;
    for (let k = from, j = this.#rows[row + Row.nameAt]; k < to; k++, j++) if (names[j] !== bytes[k]) return false;
    return true;
  }
}

import type { Run } from '../alloc/free-runs.ts';
import type { PoolMemory } from '../device/pool-memory.ts';
import type { Region } from '../device/region.ts';
import { ClaimLayout } from '../format/claim-record.ts';
import { LogHeader, stateOffset } from '../format/log-header.ts';
import { EntryType, isDeadWord } from '../format/state-word.ts';
import { fileRanges } from './file-ranges.ts';
import {
  bucketOf, type FileMap, FIRST_NODE, hashName, Header, type IndexHandle, IndexStore, permissionsOf, ROOT, Row, State,
  Status, Totals,
} from './index-store.ts';
import { PoolIdentity } from './pool-identity.ts';

/** What a node is at this moment. */
export const Liveness = { Absent: 0, Live: 1, Dead: 2 } as const;

/** Bytes and slots of a pool, as far as the last replay saw them. */
export interface IndexUsage {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly quarantinedBytes: number;
  readonly files: number;
  readonly directories: number;
  readonly slotsTotal: number;
  readonly slotsUsed: number;
}

const NO_MAP: FileMap = { extents: new Float64Array(0), at: 0, count: 0, chunkSize: 0 };

/** Steps along a chain after which a reader looks whether the writer has moved on. */
const CHECK_EVERY = 256;

/**
 * Read side of the shared index, for any thread. Nothing here throws on what the index holds. Reads
 * are retried while the replaying thread writes.
 */
export class IndexView {
  readonly poolUuid: string;
  readonly allocationUnit: number;
  readonly #handle: IndexHandle;
  readonly #memory: PoolMemory;
  readonly #log: Region;
  readonly #store: IndexStore;
  readonly #rows: Int32Array;
  readonly #header: Int32Array;
  readonly #identity: PoolIdentity;

  constructor(handle: IndexHandle, memory: PoolMemory) {
    this.poolUuid = handle.uuid;
    this.allocationUnit = handle.allocationUnit;
    this.#handle = handle;
    this.#memory = memory;
    this.#log = memory.log(handle.logLength);
    this.#store = new IndexStore(handle.capacity, handle.shared);
    this.#rows = this.#store.rows;
    this.#header = this.#store.header;
    this.#identity = new PoolIdentity(memory.superblock, handle.identity);
  }

  /** Whether memory still holds the pool that this index is of: if not, nothing in the index means anything. */
  isSamePool(): boolean {
    return this.#identity.isUnchanged();
  }

  /** The live child of that name, or 0. */
  lookup(parent: number, name: Uint8Array): number {
    return this.#consistent(() => this.#child(parent, name));
  }

  /** The live node at a path relative to the root ('' is the root), or 0. */
  resolve(path: string): number {
    if (path === '') return ROOT;
    let node: number = ROOT;
    for (const name of path.split('/')) {
      node = name === '' ? 0 : this.lookup(node, Buffer.from(name, 'utf8'));
      if (node === 0) return 0;
    }
    return node;
  }

  /**
   * Loads the entry's state word from shared memory, so that a deletion counts on every host at
   * once. A word that no writer stores is not believed: then the last replay decides.
   */
  liveness(node: number): number {
    if (node === ROOT) return Liveness.Live;
    if (!this.#exists(node)) return Liveness.Absent;
    const state = this.#rows[node * Row.words + Row.state];
    const status = state & State.status;
    if (status === Status.Quarantined || status === Status.Void) return Liveness.Dead;
    if (status !== Status.Live) return Liveness.Absent;
    const at = stateOffset(node - FIRST_NODE);
    const directory = (state & State.directory) !== 0;
    const type = this.#log.load32(at);
    if (type === (directory ? EntryType.Directory : EntryType.File)) return Liveness.Live;
    if ((state & State.oddPadding) !== 0) return type === EntryType.Quarantined || type === EntryType.Void ? Liveness.Dead : Liveness.Live;
    return isDeadWord(this.#log.load64(at), directory) ? Liveness.Dead : Liveness.Live;
  }

  /** What the last replay made of a log entry: one of `Status`. */
  statusAt(index: number): number {
    return this.#word(index + FIRST_NODE, Row.state) & State.status;
  }

  isDirectory(node: number): boolean {
    return (this.#word(node, Row.state) & State.directory) !== 0;
  }

  /** Bytes of a file; 0 for a directory. */
  size(node: number): number {
    return !this.#exists(node) || this.isDirectory(node) ? 0 : this.#store.size(node);
  }

  /** Permission bits, without the file's type. */
  mode(node: number): number {
    return permissionsOf(this.#word(node, Row.state));
  }

  uid(node: number): number {
    return this.#consistent(() => this.#store.owners[this.#word(node, Row.ownerAt)]);
  }

  gid(node: number): number {
    return this.#consistent(() => this.#store.owners[this.#word(node, Row.ownerAt) + 1]);
  }

  parent(node: number): number {
    return this.#word(node, Row.parent);
  }

  /** First child in ascending order of node ids, or 0. It may have died since: see liveness. */
  firstChild(directory: number): number {
    return this.isDirectory(directory) ? this.#word(directory, Row.firstChild) : 0;
  }

  /** The next sibling, or 0; a node that was removed still knows its successor. */
  nextSibling(node: number): number {
    return this.#word(node, Row.nextSibling);
  }

  /** The first child behind a cookie (a node id, or 0 for the beginning), or 0. */
  childAfter(directory: number, cookie: number): number {
    if (cookie === 0) return this.firstChild(directory);
    if (this.#exists(cookie) && this.parent(cookie) === directory) return this.nextSibling(cookie);
    let child = this.firstChild(directory);
    while (child !== 0 && child <= cookie) child = this.nextSibling(child);
    return child;
  }

  /** The last component of a node's path. */
  name(node: number): Uint8Array {
    return this.#consistent(() => {
      const at = this.#word(node, Row.nameAt);
      return this.#store.names.slice(at, at + ((this.#word(node, Row.state) >>> 8) & 0xff));
    });
  }

  path(node: number): string {
    const names: string[] = [];
    for (let at = node; at !== ROOT && at !== 0; at = this.parent(at)) names.unshift(Buffer.from(this.name(at)).toString('utf8'));
    return names.join('/');
  }

  /** The memory of a file; of an interleaved one, its strips. */
  extents(node: number): Run[] {
    if (this.isDirectory(node)) return [];
    return this.#consistent(() => {
      const { extents, at, count } = this.#map(node);
      return Array.from({ length: count }, (_, k) => ({ start: extents[at + 2 * k], end: extents[at + 2 * k] + extents[at + 2 * k + 1] }));
    });
  }

  /** How an interleaved file is striped over its extents; undefined for one that is not. */
  interleave(node: number): { chunkSize: number } | undefined {
    return this.#consistent(() => {
      const { chunkSize } = this.#map(node);
      return chunkSize === 0 ? undefined : { chunkSize };
    });
  }

  /** The memory of bytes [offset, offset + length) of a file, in order, clipped to its size. */
  ranges(node: number, offset: number, length: number): Run[] {
    return this.#consistent(() => {
      const wanted = Math.min(length, this.size(node) - offset);
      if (wanted <= 0) return [];
      return fileRanges(this.#map(node), offset, wanted);
    });
  }

  /** Whether the log has not moved since the last replay began: three loads. */
  isCurrent(): boolean {
    const { superblock } = this.#memory;
    return this.#log.load32(LogHeader.nextIndexOffset) === this.#header[Header.seenNextIndex] >>> 0 &&
      superblock.load32(ClaimLayout.changeWord) === this.#header[Header.seenChangeLow] >>> 0 &&
      superblock.load32(ClaimLayout.changeWord + 4) === this.#header[Header.seenChangeHigh] >>> 0;
  }

  /**
   * Waits until the replaying thread has applied what was visible when this was called. Answers
   * false when that took too long. Never call it in the replaying thread itself.
   */
  catchUp(timeoutMs = 1000): boolean {
    if (this.isCurrent()) return true;
    const mine = Atomics.add(this.#header, Header.requested, 1) + 1;
    Atomics.notify(this.#header, Header.requested);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const served = Atomics.load(this.#header, Header.served);
      if (((served - mine) | 0) >= 0) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#header, Header.served, served, left);
    }
  }

  usage(): IndexUsage {
    return this.#consistent(() => {
      const { totals } = this.#store;
      const [totalBytes, freeBytes, quarantinedBytes] = [totals[Totals.total], totals[Totals.free], totals[Totals.quarantined]];
      return {
        totalBytes, freeBytes, quarantinedBytes,
        usedBytes: totalBytes - freeBytes - quarantinedBytes,
        files: this.#header[Header.files],
        directories: this.#header[Header.directories],
        slotsTotal: this.#handle.capacity,
        slotsUsed: this.#header[Header.slotsUsed],
      };
    });
  }

  #child(parent: number, name: Uint8Array): number {
    const rows = this.#rows;
    if (!this.#exists(parent) || name.length === 0) return 0;
    const { buckets, bucketMask } = this.#store;
    const hash = hashName(name, 0, name.length, this.#header[Header.hashSeed]);
    const hashed = (rows[parent * Row.words + Row.state] & State.hashed) !== 0;
    const sequence = this.#header[Header.sequence];
    let node = hashed ? buckets[bucketOf(parent, hash, bucketMask)] : rows[parent * Row.words + Row.firstChild];
    for (let steps = 1; node !== 0; steps++) {
      const row = node * Row.words;
      if (rows[row + Row.nameHash] === hash && rows[row + Row.parent] === parent && this.#nameIs(row, name) &&
          this.liveness(node) === Liveness.Live) return node;
      if (steps % CHECK_EVERY === 0 && this.#header[Header.sequence] !== sequence) return 0;
      node = rows[row + (hashed ? Row.nextInBucket : Row.nextSibling)];
    }
    return 0;
  }

  #nameIs(row: number, name: Uint8Array): boolean {
    if (((this.#rows[row + Row.state] >>> 8) & 0xff) !== name.length) return false;
    const { names } = this.#store;
    for (let k = 0, j = this.#rows[row + Row.nameAt]; k < name.length; k++, j++) if (names[j] !== name[k]) return false;
    return true;
  }

  #map(node: number): FileMap {
    return this.#exists(node) && !this.isDirectory(node) ? this.#store.map(node, this.allocationUnit) : NO_MAP;
  }

  #exists(node: number): boolean {
    return Number.isInteger(node) && node >= ROOT && node < this.#handle.capacity + FIRST_NODE;
  }

  #word(node: number, word: number): number {
    return this.#exists(node) ? this.#rows[node * Row.words + word] : 0;
  }

  #consistent<T>(read: () => T): T {
    for (;;) {
      const sequence = this.#begin();
      try {
        const result = read();
        if (this.#unmoved(sequence)) return result;
      } catch (error) { // what is read during a change may be of no sense at all
        if (this.#unmoved(sequence)) throw error;
      }
    }
  }

  #begin(): number {
    for (;;) {
      const sequence = Atomics.load(this.#header, Header.sequence);
      if ((sequence & 1) === 0) return sequence;
      Atomics.wait(this.#header, Header.sequence, sequence, 1);
    }
  }

  #unmoved(sequence: number): boolean {
    return Atomics.load(this.#header, Header.sequence) === sequence;
  }
}

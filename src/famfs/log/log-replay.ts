import { sumOf } from '../alloc/free-runs.ts';
import type { Region } from '../device/region.ts';
import { DirectoryLayout, EntryLayout, FileLayout } from '../format/entry-layout.ts';
import { stateOffset } from '../format/log-header.ts';
import { EntryType, isDeadWord, originalType } from '../format/state-word.ts';
import {
  hashName, Header, indexOf, type IndexStore, nodeOf, ROOT, Row, SLASH, State, Status,
} from '../index/index-store.ts';
import { IndexWriter } from '../index/index-writer.ts';
import { LastDirectory } from '../index/last-directory.ts';
import type { ListInForce } from './claim-ring.ts';
import { Guards } from './guards.ts';
import { BATCH, LogScanner } from './log-scanner.ts';
import { type DataArea, MapCheck } from './map-check.ts';
import { Ownership } from './ownership.ts';
import { PathCheck } from './path-check.ts';
import type { Problem } from './problem.ts';
import { anyMoved, type Rejected, rejectedEntry } from './rejected.ts';

/**
 * One replay of a log into an index: from the first entry on, and on from where it stood. The same
 * log gives the same tree on every host; entries are judged by what stands before them and by the
 * state words as they are now.
 */
export class LogReplay {
  /** The next entry to apply: the end of what is valid. */
  position = 0;
  readonly memory = new Ownership();
  readonly rejected: Rejected[] = [];
  readonly problems: Problem[] = [];
  quarantinedBytes = 0;
  /** Keeps the compiler from leaving the look-ahead out. */
  touched = 0;
  readonly index: IndexWriter;
  /** The list that says which slots are guarded. */
  readonly list: ListInForce;
  readonly #guards: Guards;
  readonly #log: Region;
  readonly #capacity: number;
  readonly #area: DataArea;
  readonly #scanner: LogScanner;
  readonly #paths: readonly PathCheck[];
  /** The entry at hand: its path, and where it stands among the copied ones. */
  #path: PathCheck;
  #at = 0;
  /** Entries whose state word is one that no writer stores, until it is right again. */
  readonly damagedStates = new Map<number, bigint>();
  readonly #map = new MapCheck();
  readonly #hashes = new Int32Array(BATCH);
  readonly #last = new LastDirectory();
  readonly #removed: number[] = [];

  constructor(log: Region, capacity: number, area: DataArea, store: IndexStore, list: ListInForce) {
    this.#log = log;
    this.#capacity = capacity;
    this.#area = area;
    this.#scanner = new LogScanner(log);
    this.#paths = Array.from({ length: BATCH }, () => new PathCheck(this.#scanner.words));
    this.#path = this.#paths[0];
    this.list = list;
    this.#guards = new Guards(list.guards, capacity);
    this.index = new IndexWriter(store, (Math.random() * 0x7fffffff) | 0, area.allocationUnit);
  }

  /** Applies entries while they are valid, past `nextIndex` too: the counter may lag behind. */
  advance(nextIndex: number): void {
    const known = Math.min(nextIndex, this.#capacity);
    for (;;) {
      const guard = this.#guards.at(this.position);
      if (guard > 0) {
        for (let k = 0; k < guard; k++) this.index.setStatus(nodeOf(this.position + k), Status.Skipped);
        this.position += guard;
        continue;
      }
      // Past the counter, entries are read one by one: most often there is none.
      const wanted = this.position < known ? known - this.position : 1;
      const limit = Math.min(wanted, this.#guards.distance(this.position), this.#capacity - this.position);
      if (limit <= 0) break;
      const valid = this.#scanner.read(this.position, limit);
      this.#checkDirectories(valid);
      for (let k = 0; k < valid; k++) this.#apply(this.position++, k * EntryLayout.size);
      if (valid < Math.min(limit, BATCH)) break;
    }
    this.index.store.header[Header.slotsUsed] = this.position;
  }

  /**
   * Looks at every state word again and takes out what has been deleted since. Answers whether a
   * refused entry is another now, which only a fresh replay can judge.
   */
  rescan(): boolean {
    for (let index = 0; index < this.position; index++) {
      const node = nodeOf(index);
      const status = this.index.status(node);
      if (status === Status.Live || status === Status.Quarantined) this.#stateNow(node);
    }
    return anyMoved(this.rejected, this.#log);
  }

  /** Hands out what was live and is not any more since the last call. */
  takeRemoved(): number[] {
    return this.#removed.splice(0);
  }

  /** Whether a fresh replay could see another tree, now that these are gone. */
  staleWithout(removed: readonly number[]): boolean {
    return removed.some((node) => this.rejected.length > 0 ||
      (this.index.isDirectory(node) && this.index.store.rows[node * Row.words + Row.firstChild] !== 0));
  }

  /**
   * What a linked or quarantined entry is by its state word as it stands in memory now; the index
   * follows. A word that no writer stores is damage: reported, and the entry served on as it was.
   */
  #stateNow(node: number): number {
    const status = this.index.status(node);
    const word = this.#log.load64(stateOffset(indexOf(node)));
    const directory = this.index.isDirectory(node);
    const type = Number(word & 0xffffffffn);
    let now: number | undefined;
    if (type === (directory ? EntryType.Directory : EntryType.File)) now = Status.Live;
    else if (this.index.hasOddPadding(node) || isDeadWord(word, directory)) {
      now = type === EntryType.Quarantined ? Status.Quarantined : type === EntryType.Void ? Status.Void : undefined;
    }
    if (now === undefined || now < status) {
      this.damagedStates.set(indexOf(node), word);
      return status;
    }
    if (this.damagedStates.size > 0) this.damagedStates.delete(indexOf(node));
    if (now !== status) this.#bury(node, now);
    return now;
  }

  /** A live entry becomes quarantined or void, a quarantined one void. */
  #bury(node: number, now: number): void {
    const wasLive = this.index.status(node) === Status.Live;
    const bytes = sumOf(this.index.extents(node));
    if (wasLive) {
      this.index.unlink(node);
      this.#last.forget(node);
      this.#removed.push(node);
    }
    this.index.setStatus(node, now);
    if (now === Status.Void) this.memory.disown(node, this.index.extents(node));
    if (wasLive && now === Status.Quarantined) this.quarantinedBytes += bytes;
    if (!wasLive && now === Status.Void) this.quarantinedBytes -= bytes;
  }

  /**
   * Checks the paths of a batch's directories, and looks where each would be found. Waiting for
   * memory is much of what a long replay does, and many such waits at once take no longer than one.
   */
  #checkDirectories(count: number): void {
    const { bytes, words } = this.#scanner;
    const { seed } = this.index;
    const hashes = this.#hashes;
    let n = 0;
    for (let k = 0, at = 0; k < count; k++, at += EntryLayout.size) {
      if (words[(at + EntryLayout.type) >> 2] !== EntryType.Directory) continue;
      const path = this.#paths[k];
      path.check(bytes, at + DirectoryLayout.path, seed);
      hashes[n++] = path.nameHash;
    }
    this.touched = this.index.touch(hashes, n);
  }

  #apply(index: number, at: number): void {
    const { words } = this.#scanner;
    this.#at = at;
    const type = words[(at + EntryLayout.type) / 4];
    const padding = words[(at + EntryLayout.padding) / 4];
    if (type === EntryType.File) return this.#applyFile(index, at, padding);
    if (type === EntryType.Directory) return this.#applyDirectory(index, at, padding);
    switch (originalType(type, padding)) {
      case EntryType.File:
        return this.#applyDead(index, at, type, false);
      case EntryType.Quarantined: // quarantined by a writer of an entry whose padding was not zero
        return this.#applyDead(index, at, type, true);
      case EntryType.Directory:
        return this.index.setStatus(nodeOf(index), Status.Void);
      case EntryType.AddDaxdev:
      case EntryType.Void: // a guard
        return this.index.setStatus(nodeOf(index), Status.Skipped);
      default:
        this.index.setStatus(nodeOf(index), Status.Skipped);
        this.#note(index, 'note', `type ${type} means nothing here; ignored`);
    }
  }

  #applyFile(index: number, at: number, padding: number): void {
    const { bytes, words } = this.#scanner;
    const path = this.#path = this.#paths[at / EntryLayout.size];
    const pathAt = at + FileLayout.path;
    const badMap = this.#map.check(words, at / 4, this.#area);
    const inLast = this.#last.holds(words, pathAt / 4, bytes);
    const badPath = path.check(bytes, pathAt, this.index.seed, inLast ? this.#last.length + 1 : 0);
    if (badPath !== undefined) return this.#reject(index, badPath, undefined);
    if (badMap !== undefined) return this.#reject(index, badMap, this.#pathText(pathAt));
    // Below that directory there may be another one on the way, or one that is not there.
    const parent = inLast && path.nameStart === this.#last.length + 1 ? this.#last.node : this.#parentOf(pathAt);
    if (parent === 0) return this.#reject(index, 'its directory does not exist', this.#pathText(pathAt));
    const taken = this.#takenBy(parent, pathAt);
    if (taken !== 0) return this.#reject(index, `entry ${indexOf(taken)} has that path already`, this.#pathText(pathAt));
    const rival = this.#liveOwner();
    if (rival !== 0) return this.#reject(index, `its memory overlaps that of entry ${indexOf(rival)}`, this.#pathText(pathAt));
    const node = nodeOf(index);
    if (!this.memory.own(node, this.#map)) return this.#reject(index, 'its extents overlap each other', this.#pathText(pathAt));
    const state = padding === 0 ? Status.Live : Status.Live | State.oddPadding;
    this.index.link(node, parent, state, bytes, pathAt + path.nameStart, pathAt + path.length, path.nameHash,
      words, (at + FileLayout.uid) / 4);
    this.index.addMap(node, this.#map);
  }

  #applyDirectory(index: number, at: number, padding: number): void {
    const { bytes, words } = this.#scanner;
    const path = this.#path = this.#paths[at / EntryLayout.size];
    const pathAt = at + DirectoryLayout.path;
    this.#map.count = 0;
    const badPath = path.problem;
    if (badPath !== undefined) return this.#reject(index, badPath, undefined);
    const parent = this.#parentOf(pathAt);
    if (parent === 0) return this.#reject(index, 'its directory does not exist', this.#pathText(pathAt));
    const taken = this.#takenBy(parent, pathAt);
    if (taken !== 0) {
      const again = this.index.isDirectory(taken);
      return this.#reject(index, `entry ${indexOf(taken)} has that path already`, this.#pathText(pathAt), again ? 'note' : 'reject');
    }
    const node = nodeOf(index);
    const state = Status.Live | State.directory | (padding === 0 ? 0 : State.oddPadding);
    this.index.link(node, parent, state, bytes, pathAt + path.nameStart, pathAt + path.length, path.nameHash,
      words, (at + DirectoryLayout.uid) / 4);
    this.#last.remember(node, words, pathAt / 4, path.length);
  }

  /** A deleted file: no path, but while it is quarantined its memory is taken. */
  #applyDead(index: number, at: number, type: number, oddPadding: boolean): void {
    const node = nodeOf(index);
    if (type === EntryType.Void) return this.index.setStatus(nodeOf(index), Status.Void);
    this.index.setStatus(node, Status.Void);
    if (this.#map.check(this.#scanner.words, at / 4, this.#area) !== undefined || this.#liveOwner() !== 0) return;
    if (!this.memory.own(node, this.#map)) return;
    this.index.addMap(node, this.#map);
    this.index.setStatus(node, Status.Quarantined);
    if (oddPadding) this.index.markOddPadding(node);
    this.quarantinedBytes += sumOf(this.index.extents(node));
  }

  #pathText(pathAt: number): string {
    return this.#scanner.bytes.toString('utf8', pathAt, pathAt + this.#path.length);
  }

  /** The linked directory that the path just checked is in, or 0. */
  #parentOf(pathAt: number): number {
    const { bytes } = this.#scanner;
    let node: number = ROOT;
    for (let from = pathAt; from < pathAt + this.#path.nameStart; ) {
      const to = bytes.indexOf(SLASH, from);
      node = this.index.child(node, bytes, from, to, hashName(bytes, from, to, this.index.seed));
      if (node === 0 || !this.index.isDirectory(node)) return 0;
      from = to + 1;
    }
    return node;
  }

  /** The entry that has the path just checked and is live at this moment, or 0. */
  #takenBy(parent: number, pathAt: number): number {
    const { nameStart, length, nameHash } = this.#path;
    const taken = this.index.child(parent, this.#scanner.bytes, pathAt + nameStart, pathAt + length, nameHash);
    return taken !== 0 && this.#stateNow(taken) === Status.Live ? taken : 0;
  }

  /**
   * The live entry that owns memory of the map just checked, or 0. Memory is reused only after it
   * was given back, so a quarantined owner is proven void by being overlapped (rule R2).
   */
  #liveOwner(): number {
    const { count, addresses, lengths } = this.#map;
    for (let k = 0; k < count; k++) {
      for (;;) {
        const range = this.memory.overlapping(addresses[k], addresses[k] + lengths[k]);
        if (range === undefined) break;
        const now = this.#stateNow(range.owner);
        if (now === Status.Live) return range.owner;
        if (now === Status.Quarantined) this.#bury(range.owner, Status.Void);
      }
    }
    return 0;
  }

  #reject(index: number, reason: string, path: string | undefined, severity: 'reject' | 'note' = 'reject'): void {
    this.index.setStatus(nodeOf(index), Status.Rejected);
    const word = this.#scanner.bytes.readBigUInt64LE(this.#at + EntryLayout.type);
    this.rejected.push(rejectedEntry(index, path, word, this.#map));
    this.#note(index, severity, reason, path);
  }

  #note(index: number, severity: Problem['severity'], reason: string, path?: string): void {
    this.problems.push({ place: 'log entry', index, reason, severity, ...(path === undefined ? {} : { path }) });
  }
}

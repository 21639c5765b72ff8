import { sumOf } from '../alloc/free-runs.ts';
import type { Region } from '../device/region.ts';
import { DirectoryLayout, EntryLayout, FileLayout } from '../format/entry-layout.ts';
import { EntryType, originalType } from '../format/state-word.ts';
import { hashName, Header, indexOf, type IndexStore, nodeOf, ROOT, SLASH, State, Status } from '../index/index-store.ts';
import { IndexWriter } from '../index/index-writer.ts';
import { LastDirectory } from '../index/last-directory.ts';
import type { ListInForce } from './claim-ring.ts';
import { EntryStates } from './entry-states.ts';
import { Guards } from './guards.ts';
import { BATCH, LogScanner } from './log-scanner.ts';
import { type DataArea, MapCheck } from './map-check.ts';
import { Ownership, RejectedMemory, REJECTS_MAX } from './ownership.ts';
import { PathCheck } from './path-check.ts';
import { EntryProblems, NAMED_MAX, type Problem } from './problem.ts';

/** What of a log is kept by name at most. */
export interface ReplayBounds {
  /** With more rejects, the pool counts as damaged. Only a test has another number than the format's. */
  readonly rejectsMax?: number;
  /** Problems of entries of each kind that are named; the others are counted. */
  readonly namedMax?: number;
}

const NO_PARENT = 'its directory does not exist';
/** With the other entry in the place of %. */
const PATH_TAKEN = 'entry % has that path already';
const MEMORY_TAKEN = 'its memory overlaps that of entry %';
const OWN_OVERLAP = 'its extents overlap each other';

/**
 * One replay of a log into an index: from the first entry on, and on from where it stood. The same
 * log gives the same tree on every host; entries are judged by what stands before them and by the
 * state words as they are now.
 */
export class LogReplay {
  /** The next entry to apply: the end of what is valid. */
  position = 0;
  /** The slot behind the last entry that was applied: guarded ones may follow it. */
  appliedEnd = 0;
  readonly memory = new Ownership();
  readonly rejects: RejectedMemory;
  readonly states: EntryStates;
  /** Keeps the compiler from leaving the look-ahead out. */
  touched = 0;
  readonly index: IndexWriter;
  /** The list that says which slots are guarded. */
  readonly list: ListInForce;
  readonly #rejectsMax: number;
  readonly #problems: Readonly<Record<'badWords' | 'rejects' | 'notes', EntryProblems>>;
  readonly #guards: Guards;
  readonly #capacity: number;
  readonly #area: DataArea;
  readonly #scanner: LogScanner;
  readonly #paths: readonly PathCheck[];
  /** The path of the entry at hand. */
  #path: PathCheck;
  readonly #map = new MapCheck();
  readonly #hashes = new Int32Array(BATCH);
  readonly #last = new LastDirectory();

  constructor(
    log: Region, capacity: number, area: DataArea, store: IndexStore, list: ListInForce,
    { rejectsMax = REJECTS_MAX, namedMax = NAMED_MAX }: ReplayBounds = {},
  ) {
    this.#rejectsMax = rejectsMax;
    this.#capacity = capacity;
    this.#area = area;
    this.#scanner = new LogScanner(log);
    this.#paths = Array.from({ length: BATCH }, () => new PathCheck(this.#scanner.words));
    this.#path = this.#paths[0];
    this.list = list;
    this.#guards = new Guards(list.guards, capacity);
    this.index = new IndexWriter(store, (Math.random() * 0x7fffffff) | 0, area.allocationUnit);
    this.rejects = new RejectedMemory(rejectsMax);
    this.#problems = {
      rejects: new EntryProblems('reject', 'more entries are refused', namedMax),
      notes: new EntryProblems('note', 'more entries mean nothing', namedMax),
      badWords: new EntryProblems('damage', 'more entries have state words that no writer stores', namedMax),
    };
    const { index, memory, rejects } = this;
    this.states = new EntryStates({ log, index, memory, rejects, last: this.#last, problems: this.#problems });
  }

  /** What is wrong or remarkable about entries: the first few of each kind, in the order of the log, and how many more. */
  get problems(): Problem[] {
    const kinds = Object.values(this.#problems);
    const named = kinds.flatMap((kind) => [...kind.named]).sort((a, b) => a.index! - b.index!);
    const tooMany: Problem[] = this.rejects.tooMany
      ? [{ place: 'log', severity: 'damage', reason: `more than ${this.#rejectsMax} entries are refused, which no writer makes` }] : [];
    return [...named, ...kinds.flatMap(({ others }) => others), ...tooMany];
  }

  /** Whether there may be an entry that was refused, harmless ones among them. */
  get hasRejects(): boolean {
    return this.#problems.rejects.count + this.#problems.notes.count > 0;
  }

  /** Whether only a fresh replay can tell what is what by now. */
  get isStale(): boolean {
    return this.states.isStale || this.rejects.isUnknown;
  }

  /** Entries that are damaged or refused. */
  get badEntries(): number {
    return this.#problems.badWords.count + this.#problems.rejects.count;
  }

  /**
   * Applies entries while they are valid, past `nextIndex` too: the counter may lag behind. Answers true when it
   * has applied about `most` and there may be more.
   */
  advance(nextIndex: number, most = Infinity): boolean {
    const known = Math.min(nextIndex, this.#capacity);
    const pause = this.position + most;
    let goesOn = false;
    for (;;) {
      goesOn = this.position >= pause;
      if (goesOn) break;
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
      if (valid > 0) this.appliedEnd = this.position;
      if (valid < Math.min(limit, BATCH)) break;
    }
    this.index.store.header[Header.slotsUsed] = this.position;
    return goesOn;
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
      case EntryType.Void: // a former guard, or a file whose padding was not zero
        return this.index.setStatus(nodeOf(index), Status.Void);
      case EntryType.AddDaxdev:
        return this.index.setStatus(nodeOf(index), Status.Skipped);
      default:
        this.index.setStatus(nodeOf(index), Status.Skipped);
        this.#problems.notes.add(index, () => ({ reason: `type ${type} means nothing here; ignored` }));
    }
  }

  #applyFile(index: number, at: number, padding: number): void {
    const { bytes, words } = this.#scanner;
    const path = this.#path = this.#paths[at / EntryLayout.size];
    const pathAt = at + FileLayout.path;
    const badMap = this.#map.check(words, at / 4, this.#area);
    const inLast = this.#last.holds(words, pathAt / 4, bytes);
    const badPath = path.check(bytes, pathAt, this.index.seed, inLast ? this.#last.length + 1 : 0);
    const state = padding === 0 ? 0 : State.oddPadding;
    if (badPath !== undefined) return this.#reject(index, state, badPath);
    if (badMap !== undefined) return this.#reject(index, state, badMap, 0, pathAt);
    // Below that directory there may be another one on the way, or one that is not there.
    const parent = inLast && path.nameStart === this.#last.length + 1 ? this.#last.node : this.#parentOf(pathAt);
    if (parent === 0) return this.#reject(index, state, NO_PARENT, 0, pathAt);
    const taken = this.#takenBy(parent, pathAt);
    if (taken !== 0) return this.#reject(index, state, PATH_TAKEN, taken, pathAt);
    const rival = this.#liveOwner();
    if (rival !== 0) return this.#reject(index, state, MEMORY_TAKEN, rival, pathAt);
    const node = nodeOf(index);
    if (!this.memory.own(node, this.#map)) return this.#reject(index, state, OWN_OVERLAP, 0, pathAt);
    const flags = this.states.proveVoid(node, this.#map);
    if (flags === undefined) return;
    this.index.link(node, parent, Status.Live | state | flags, bytes, pathAt + path.nameStart, pathAt + path.length, path.nameHash,
      words, (at + FileLayout.uid) / 4);
    this.index.addMap(node, this.#map);
  }

  #applyDirectory(index: number, at: number, padding: number): void {
    const { bytes, words } = this.#scanner;
    const path = this.#path = this.#paths[at / EntryLayout.size];
    const pathAt = at + DirectoryLayout.path;
    const state = State.directory | (padding === 0 ? 0 : State.oddPadding);
    this.#map.count = 0;
    const badPath = path.problem;
    if (badPath !== undefined) return this.#reject(index, state, badPath);
    const parent = this.#parentOf(pathAt);
    if (parent === 0) return this.#reject(index, state, NO_PARENT, 0, pathAt);
    const taken = this.#takenBy(parent, pathAt);
    if (taken !== 0) return this.#reject(index, state, PATH_TAKEN, taken, pathAt, this.index.isDirectory(taken));
    const node = nodeOf(index);
    this.index.link(node, parent, Status.Live | state, bytes, pathAt + path.nameStart, pathAt + path.length, path.nameHash,
      words, (at + DirectoryLayout.uid) / 4);
    this.#last.remember(node, words, pathAt / 4, path.length);
  }

  /** A deleted file: no path, but while it is quarantined its memory is taken. */
  #applyDead(index: number, at: number, type: number, oddPadding: boolean): void {
    const node = nodeOf(index);
    if (type === EntryType.Void) return this.index.setStatus(node, Status.Void);
    const padding = oddPadding ? State.oddPadding : 0;
    const refused = padding | State.saysQuarantined;
    const badMap = this.#map.check(this.#scanner.words, at / 4, this.#area);
    if (badMap !== undefined) return this.#reject(index, refused, badMap);
    const rival = this.#liveOwner();
    if (rival !== 0) return this.#reject(index, refused, MEMORY_TAKEN, rival);
    if (!this.memory.own(node, this.#map)) return this.#reject(index, refused, OWN_OVERLAP);
    const flags = this.states.proveVoid(node, this.#map);
    if (flags === undefined) return;
    this.index.addMap(node, this.#map);
    this.index.setStatus(node, Status.Quarantined);
    this.index.mark(node, padding | flags);
    const extents = this.index.extents(node);
    this.memory.quarantine(node, extents);
    this.states.quarantinedBytes += sumOf(extents);
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
    return taken !== 0 && this.states.now(taken) === Status.Live ? taken : 0;
  }

  /** The live entry that owns memory of the map just checked, or 0. */
  #liveOwner(): number {
    const { count, addresses, lengths } = this.#map;
    for (let k = 0; k < count; k++) {
      for (;;) {
        const range = this.memory.live.overlapping(addresses[k], addresses[k] + lengths[k]);
        if (range === undefined) break;
        if (this.states.now(range.owner) === Status.Live) return range.owner;
      }
    }
    return 0;
  }

  /**
   * Refuses the entry at hand, because of the entry of another node where that is the reason, and then of that
   * one alone: so only when that one goes may this one come to life. `again` is a directory that is there already.
   */
  #reject(index: number, state: number, reason: string, because = 0, pathAt?: number, again = false): void {
    const node = nodeOf(index);
    this.index.setStatus(node, again ? Status.Repeated : Status.Rejected);
    this.index.mark(node, state);
    if (because !== 0) this.index.mark(because, State.inTheWay);
    if (!again) this.rejects.add(index, this.#map);
    this.#problems[again ? 'notes' : 'rejects'].add(index, () => ({
      reason: because === 0 ? reason : reason.replace('%', String(indexOf(because))),
      ...(pathAt === undefined ? {} : { path: this.#pathText(pathAt) }),
    }));
  }
}

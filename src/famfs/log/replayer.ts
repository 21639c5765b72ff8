import { freeRuns, type Run, sumOf } from '../alloc/free-runs.ts';
import type { PoolMemory } from '../device/pool-memory.ts';
import { FamfsError } from '../errors.ts';
import { Header, type IndexHandle, IndexStore, nodeOf, Status, Totals } from '../index/index-store.ts';
import { IndexView } from '../index/index-view.ts';
import { PoolIdentity } from '../index/pool-identity.ts';
import { ClaimRing, type ListInForce } from './claim-ring.ts';
import { type Geometry, type LogCounters, readCounters, readGeometry } from './geometry.ts';
import { guardsBehindEnd, listProblem, mayGuardOthers } from './guards.ts';
import { corruptEntry, endProblems } from './log-end.ts';
import { LogReplay, type ReplayBounds } from './log-replay.ts';
import { FreeBytes, type Ownership } from './ownership.ts';
import type { Problem } from './problem.ts';

/** What a replay changed. Node ids; `rebuilt` says that the whole tree was read anew. */
export interface ReplayDelta {
  readonly added: number[];
  readonly removed: number[];
  readonly rebuilt: boolean;
}

export interface ReplayerOptions extends ReplayBounds {
  /**
   * For a thread that looks again and again: a fresh replay that has taken longer is followed by a pause as long, so
   * that nobody who changes the log can keep the thread from all else. The tree stays as it is meanwhile.
   */
  readonly pauseAfterMs?: number;
}

/** Slots of the largest log, of 8 GiB: beyond, offsets into the names no longer fit. */
const SLOTS_MAX = 2 ** 24;
/** Attempts at a consistent look while another host is at work; the next call goes on. */
const ATTEMPTS = 3;
/** Entries that are a few milliseconds' work. */
const SLICE = 4096;

/**
 * Keeps the shared index of one pool up to date with its log. There is one per process; it is the
 * only writer of the index, and never throws on what it finds in the log.
 */
export class Replayer {
  readonly handle: IndexHandle;
  readonly view: IndexView;
  readonly geometry: Geometry;
  readonly ring: ClaimRing;
  /** What tells that the pool is still the one that was opened. */
  readonly identity: PoolIdentity;
  readonly #store: IndexStore;
  readonly #options: ReplayerOptions;
  #replay: LogReplay;
  #change = 0n;
  #endProblems: Problem[] = [];
  /**
   * The tree in use is not what a fresh replay would give: wanted at once, since other slots are guarded now, or as
   * soon as there is time. Nothing is added to the tree meanwhile.
   */
  #wanted: 'at once' | 'soon' | undefined;
  /** Why the last fresh replay was not taken, if it was not. */
  #notTaken: Problem | undefined;
  /** When the next one may begin. */
  #rebuildFrom = 0;
  readonly #free = new FreeBytes();
  /** Entries after which readers that wait are let in: nobody does at first. */
  #slice = Infinity;

  /**
   * Opens the pool in some memory and replays its log once.
   * Throws FamfsError NOT_FAMFS, UNSUPPORTED or DAMAGED when superblock, log header or claim allow no replay, and
   * REPLACED where the pool is being formatted meanwhile.
   */
  static create(memory: PoolMemory, options: ReplayerOptions = {}): Replayer {
    return new Replayer(memory, options);
  }

  private constructor(memory: PoolMemory, options: ReplayerOptions) {
    this.#options = options;
    const identity = this.identity = new PoolIdentity(memory.superblock);
    this.geometry = readGeometry(memory);
    if (!identity.isUnchanged()) throw new FamfsError('REPLACED', `${memory.path} was formatted while it was opened: open it again`);
    const { superblock, capacity, allocationUnit } = this.geometry;
    this.ring = new ClaimRing(memory.superblock, superblock.uuid, identity);
    if (capacity > SLOTS_MAX) {
      throw new FamfsError('UNSUPPORTED', `${memory.path}: a log of ${superblock.logLength} bytes has ${capacity} slots; at most ${SLOTS_MAX} are supported`);
    }
    const shared = IndexStore.sharedMemory(capacity, Math.min(capacity, readCounters(this.geometry.log).nextIndex));
    this.handle = { uuid: superblock.uuid, identity: identity.words, allocationUnit, logLength: superblock.logLength, capacity, shared };
    this.#store = new IndexStore(capacity, shared);
    this.view = new IndexView(this.handle, memory);
    this.#change = this.ring.changeWord();
    const list = this.ring.listInForce();
    const problem = listProblem(this.geometry, this.ring, list);
    if (problem !== undefined) throw new FamfsError('DAMAGED', `${memory.path}: claim: ${problem.reason}`);
    this.#replay = this.#newReplay(this.#store, list);
    this.#update();
    this.#slice = SLICE;
  }

  /** What is wrong or remarkable. Of entries, the first few of each kind by name, and how many more there are. */
  get problems(): readonly Problem[] {
    return [...this.#problemsOfTheWhole, ...this.#replay.problems];
  }

  /** How many things are damaged or refused. */
  get problemCount(): number {
    return this.#problemsOfTheWhole.filter(({ severity }) => severity !== 'note').length + this.#replay.badEntries;
  }

  /** Index of the first slot behind the last valid entry. */
  get end(): number {
    return this.#replay.position;
  }

  /** The change word that the last look began with: what was told up to there is known. */
  get change(): bigint {
    return this.#change;
  }

  /** Which memory belongs to whom. */
  get memory(): Ownership {
    return this.#replay.memory;
  }

  /** The list of guards that the log's end was found with. */
  get list(): ListInForce {
    return this.#replay.list;
  }

  /** As `LogReplay.hasRejects`. */
  get hasRejects(): boolean {
    return this.#replay.hasRejects;
  }

  /**
   * What nobody owns of some areas, which are in ascending order, and no reject names; `held` names further ranges
   * that must not be used. Nothing where too many entries were refused.
   */
  freeRuns(areas: readonly Run[], held: readonly Run[] = []): Run[] {
    const { memory, rejects } = this.#replay;
    return rejects.tooMany ? [] : freeRuns([...memory.maps, rejects.ranges], held, areas);
  }

  /** Whether bytes were found that no writer writes: no new work then. */
  get damaged(): boolean {
    return this.problems.some(({ severity }) => severity === 'damage');
  }

  /**
   * Applies what the log has gained and lost since the last call. A writer that takes over looks at
   * guards and states even if the change word stands still (`thorough`). Where another pool is in memory now,
   * nothing is read.
   */
  catchUp(thorough = false): ReplayDelta {
    const from = this.#replay.position;
    const { removed, rebuilt } = this.#update(thorough);
    const added: number[] = [];
    for (let index = from; index < this.#replay.position; index++) {
      if (this.#replay.index.status(nodeOf(index)) === Status.Live) added.push(nodeOf(index));
    }
    return { added, removed, rebuilt };
  }

  /**
   * Applies a state that the writer of this process has just stored, by which the change word went from `before` to
   * `after`: without a look at any other. False where that is not enough, since somebody else has changed something
   * as well, or a fresh replay is due: then it is for `catchUp`.
   */
  followOwn(index: number, before: bigint, after: bigint): boolean {
    const isCurrent = this.#change === before && this.#wanted === undefined && this.#notTaken === undefined;
    if (!isCurrent || this.ring.changeWord() !== after || !this.identity.isUnchanged()) return false;
    const { states } = this.#replay;
    this.#locked(() => states.apply([index]));
    states.takeRemoved();
    if (this.#replay.isStale) return false;
    this.#change = after;
    this.#publish(readCounters(this.geometry.log));
    return true;
  }

  /** Blocks this thread until a view asks for a replay, or the time is up. */
  waitForRequest(timeoutMs: number): void {
    Atomics.wait(this.#store.header, Header.requested, Atomics.load(this.#store.header, Header.served), timeoutMs);
  }

  get #problemsOfTheWhole(): Problem[] {
    return [...this.geometry.problems, ...this.#endProblems, ...(this.#notTaken === undefined ? [] : [this.#notTaken])];
  }

  #newReplay(store: IndexStore, list: ListInForce): LogReplay {
    const { log, capacity } = this.geometry;
    return new LogReplay(log, capacity, this.geometry, store, list, this.#options);
  }

  #update(thorough = false): { removed: number[]; rebuilt: boolean } {
    const removed: number[] = [];
    let rebuilt = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const request = Atomics.load(this.#store.header, Header.requested);
      if (!this.identity.isUnchanged()) return this.#answer(request), { removed, rebuilt }; // nothing more can be read
      // The change word is read first: what changes after this load is met again next time.
      const change = this.ring.changeWord();
      const moved = change !== this.#change || (thorough && attempt === 0);
      this.#change = change;
      if (moved && this.#notTaken !== undefined) this.#wanted ??= 'soon';
      else if (moved && mayGuardOthers(this.list, this.ring.listInForce())) this.#wanted = 'at once';
      rebuilt = this.#rebuildIfWanted() || rebuilt;
      if (moved) this.#followStates();
      this.#advance();
      for (const node of this.#replay.states.takeRemoved()) removed.push(node);
      if (this.#notTaken === undefined && this.#replay.isStale) this.#wanted ??= 'soon';
      const isTaken = this.#rebuildIfWanted();
      rebuilt ||= isTaken;
      this.#answer(request);
      if (this.ring.changeWord() === change && !(isTaken && this.#replay.isStale)) break;
    }
    return { removed, rebuilt };
  }

  /** Lets those go on that have waited for a look. */
  #answer(request: number): void {
    Atomics.store(this.#store.header, Header.served, request);
    Atomics.notify(this.#store.header, Header.served);
  }

  /** Lets no reader see the index while it is changed. */
  #locked<T>(change: () => T): T {
    const { header } = this.#store;
    Atomics.add(header, Header.sequence, 1);
    const result = change();
    Atomics.add(header, Header.sequence, 1);
    return result;
  }

  /** Looks at every state word again. */
  #followStates(): void {
    const { states, position } = this.#replay;
    const moved = states.moved(position);
    for (let from = 0; from < moved.length; from += SLICE) this.#locked(() => states.apply(moved.slice(from, from + SLICE)));
  }

  /** Follows new entries, unless the tree is stale. */
  #advance(): void {
    const counters = readCounters(this.geometry.log);
    if (this.#wanted === undefined && this.#notTaken === undefined) {
      while (this.#locked(() => this.#replay.advance(counters.nextIndex, this.#slice)));
    }
    this.#publish(counters);
  }

  #rebuildIfWanted(): boolean {
    if (this.#wanted === undefined) return false;
    const began = performance.now();
    if (this.#wanted === 'soon' && began < this.#rebuildFrom) return false;
    this.#wanted = undefined;
    const isTaken = this.#rebuild();
    const ended = performance.now();
    if (ended - began > (this.#options.pauseAfterMs ?? Infinity)) this.#rebuildFrom = ended + ended - began;
    return isTaken;
  }

  /** Reads the whole log anew, beside the index in use; a log that reads worse now is not taken. */
  #rebuild(): boolean {
    const list = this.ring.listInForce();
    this.#notTaken = listProblem(this.geometry, this.ring, list);
    if (this.#notTaken !== undefined) return false;
    const fresh = new IndexStore(this.geometry.capacity, new ArrayBuffer(IndexStore.bytes(this.geometry.capacity)));
    const replay = this.#newReplay(fresh, list);
    const counters = readCounters(this.geometry.log);
    replay.advance(counters.nextIndex);
    if (replay.position < this.#replay.appliedEnd) { // guards at the end may be gone
      this.#notTaken = corruptEntry(this.geometry, replay.position);
      return false;
    }
    const rows = nodeOf(Math.max(replay.position, this.#replay.position));
    replay.states.takeRemoved();
    this.#replay = replay;
    this.#publish(counters, () => {
      this.#store.copyFrom(fresh, rows);
      replay.index.moveTo(this.#store);
    });
    return true;
  }

  /** Judges the counters against what was found, and tells readers what was seen; `change` comes before that. */
  #publish(counters: LogCounters, change: () => void = () => {}): void {
    const { header, totals } = this.#store;
    const { position, memory, rejects, states: { quarantinedBytes } } = this.#replay;
    this.#endProblems = [...endProblems(position, counters, this.geometry), ...guardsBehindEnd(this.list, position)];
    const total = sumOf(this.geometry.allocatable);
    const free = this.#free.count(memory, rejects, this.geometry.allocatable);
    this.#locked(() => {
      change();
      totals[Totals.total] = total;
      totals[Totals.free] = free;
      totals[Totals.quarantined] = Math.min(quarantinedBytes, total - free);
      Atomics.store(header, Header.seenNextIndex, counters.nextIndexLow);
      Atomics.store(header, Header.seenChangeLow, Number(BigInt.asIntN(32, this.#change)));
      Atomics.store(header, Header.seenChangeHigh, Number(BigInt.asIntN(32, this.#change >> 32n)));
    });
  }
}

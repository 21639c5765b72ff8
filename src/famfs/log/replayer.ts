import type { ExtentMap } from '../alloc/extent-map.ts';
import { freeRuns, sumOf } from '../alloc/free-runs.ts';
import { adviseHugePages, populateAhead } from '../device/libc.ts';
import type { PoolMemory } from '../device/pool-memory.ts';
import { FamfsError } from '../errors.ts';
import { Header, type IndexHandle, IndexStore, nodeOf, Status, Totals } from '../index/index-store.ts';
import { IndexView } from '../index/index-view.ts';
import { PoolIdentity } from '../index/pool-identity.ts';
import { ClaimRing, type ListInForce } from './claim-ring.ts';
import { type Geometry, type LogCounters, readCounters, readGeometry } from './geometry.ts';
import { guardListProblem, guardsBehindEnd } from './guards.ts';
import { corruptEntry, endProblems } from './log-end.ts';
import { LogReplay } from './log-replay.ts';
import type { Problem } from './problem.ts';
import type { Rejected } from './rejected.ts';

/** What a replay changed. Node ids; `rebuilt` says that the whole tree was read anew. */
export interface ReplayDelta {
  readonly added: number[];
  readonly removed: number[];
  readonly rebuilt: boolean;
}

/** Slots of the largest log, of 8 GiB: beyond, offsets into the names no longer fit. */
const SLOTS_MAX = 2 ** 24;
/** Entries from which on the index is worth huge pages. */
const LARGE_LOG = 100_000;
/** Attempts at a consistent look while another host is at work; the next call goes on. */
const ATTEMPTS = 3;

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
  #replay: LogReplay;
  #change = 0n;
  #endProblems: Problem[] = [];
  /** The tree in use is not what a fresh replay would give, and why there was none yet. */
  #stale: Problem | 'untried' | undefined;

  /**
   * Opens the pool in some memory and replays its log once.
   * Throws FamfsError NOT_FAMFS, UNSUPPORTED or DAMAGED when superblock, log header or claim allow no replay, and
   * REPLACED where the pool is being formatted meanwhile.
   */
  static create(memory: PoolMemory): Replayer {
    return new Replayer(memory);
  }

  private constructor(memory: PoolMemory) {
    const identity = this.identity = new PoolIdentity(memory.superblock);
    this.geometry = readGeometry(memory);
    if (!identity.isUnchanged()) throw new FamfsError('REPLACED', `${memory.path} was formatted while it was opened: open it again`);
    const { superblock, capacity, allocationUnit } = this.geometry;
    this.ring = new ClaimRing(memory.superblock, superblock.uuid, identity);
    if (capacity > SLOTS_MAX) {
      throw new FamfsError('UNSUPPORTED', `${memory.path}: a log of ${superblock.logLength} bytes has ${capacity} slots; at most ${SLOTS_MAX} are supported`);
    }
    const shared = new SharedArrayBuffer(IndexStore.bytes(capacity));
    prepareMemory(shared, capacity, Math.min(capacity, readCounters(this.geometry.log).nextIndex));
    this.handle = { uuid: superblock.uuid, identity: identity.words, allocationUnit, logLength: superblock.logLength, capacity, shared };
    this.#store = new IndexStore(capacity, shared);
    this.view = new IndexView(this.handle, memory);
    this.#change = this.ring.changeWord();
    const list = this.ring.listInForce();
    const problem = this.#listProblem(list);
    if (problem !== undefined) throw new FamfsError('DAMAGED', `${memory.path}: claim: ${problem.reason}`);
    this.#replay = this.#newReplay(this.#store, list);
    this.#update();
  }

  /** Everything that is wrong or remarkable, in the order it was met. */
  get problems(): readonly Problem[] {
    const stale = typeof this.#stale === 'object' ? [this.#stale] : [];
    return [...this.geometry.problems, ...this.#endProblems, ...this.#replay.problems, ...stateProblems(this.#replay.damagedStates), ...stale];
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
  get memory(): ExtentMap {
    return this.#replay.memory;
  }

  /** The list of guards that the log's end was found with. */
  get list(): ListInForce {
    return this.#replay.list;
  }

  get rejected(): readonly Rejected[] {
    return this.#replay.rejected;
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

  /** Blocks this thread until a view asks for a replay, or the time is up. */
  waitForRequest(timeoutMs: number): void {
    const { header } = this.#store;
    Atomics.wait(header, Header.requested, Atomics.load(header, Header.served), timeoutMs);
  }

  #newReplay(store: IndexStore, list: ListInForce): LogReplay {
    const { log, capacity } = this.geometry;
    return new LogReplay(log, capacity, this.geometry, store, list);
  }

  /** Why a list of guards cannot be followed. Which slots count is not known then. */
  #listProblem({ epoch, guards }: ListInForce): Problem | undefined {
    const problem = guardListProblem(guards, this.geometry.capacity);
    if (problem === undefined) return undefined;
    const reason = `no writer has made the list of epoch ${epoch}: ${problem}; "famfs-csi reset-claim" removes the records of a claim ring that were forged`;
    return { place: 'claim', severity: 'damage', reason };
  }

  #update(thorough = false): { removed: number[]; rebuilt: boolean } {
    const { header } = this.#store;
    const request = Atomics.load(header, Header.requested);
    const removed: number[] = [];
    let rebuilt = false;
    for (let attempt = 0; attempt < ATTEMPTS && this.identity.isUnchanged(); attempt++) {
      // The change word is read first: what changes after this load is met again next time.
      const change = this.ring.changeWord();
      const moved = change !== this.#change || (thorough && attempt === 0);
      this.#change = change;
      if (moved && this.#listIsOld()) this.#stale = 'untried';
      if (moved && this.#stale !== undefined) rebuilt = this.#rebuild() || rebuilt;
      const otherRejects = this.#advance(moved);
      const gone = this.#replay.takeRemoved();
      for (const node of gone) removed.push(node);
      if (otherRejects || this.#replay.staleWithout(gone)) {
        this.#stale = 'untried';
        rebuilt = this.#rebuild() || rebuilt;
      }
      if (this.ring.changeWord() === change) break;
    }
    Atomics.store(header, Header.served, request);
    Atomics.notify(header, Header.served);
    return { removed, rebuilt };
  }

  /** Follows states and new entries. While the tree is stale, nothing is added to it. */
  #advance(moved: boolean): boolean {
    const { header } = this.#store;
    const counters = readCounters(this.geometry.log);
    Atomics.add(header, Header.sequence, 1);
    const otherRejects = moved && this.#replay.rescan();
    if (this.#stale === undefined) this.#replay.advance(counters.nextIndex);
    this.#publish(counters);
    Atomics.add(header, Header.sequence, 1);
    return otherRejects;
  }

  /** Reads the whole log anew, beside the index in use; a log that reads worse now is not taken. */
  #rebuild(): boolean {
    const list = this.ring.listInForce();
    const problem = this.#listProblem(list);
    if (problem !== undefined) {
      this.#stale = problem;
      return false;
    }
    const fresh = new IndexStore(this.geometry.capacity, new ArrayBuffer(IndexStore.bytes(this.geometry.capacity)));
    const replay = this.#newReplay(fresh, list);
    const counters = readCounters(this.geometry.log);
    replay.advance(counters.nextIndex);
    if (replay.position < this.#replay.position) {
      this.#stale = corruptEntry(this.geometry, replay.position);
      return false;
    }
    const rows = nodeOf(Math.max(replay.position, this.#replay.position));
    Atomics.add(this.#store.header, Header.sequence, 1);
    this.#store.copyFrom(fresh, rows);
    replay.index.moveTo(this.#store);
    replay.takeRemoved();
    this.#replay = replay;
    this.#stale = undefined;
    this.#publish(counters);
    Atomics.add(this.#store.header, Header.sequence, 1);
    return true;
  }

  /**
   * Whether slots may have become guarded, or have ceased to be, since the replay read its list: it
   * differs, or is not the next one and others stood between. One of the same epoch never differs, unless somebody
   * has stored over it.
   */
  #listIsOld(): boolean {
    const known = this.#replay.list;
    const now = this.ring.listInForce();
    return (now.epoch !== known.epoch && now.epoch !== known.epoch + 1) || JSON.stringify(now.guards) !== JSON.stringify(known.guards);
  }

  /** Judges the counters against what was found, and tells readers what was seen. */
  #publish(counters: LogCounters): void {
    const { header, totals } = this.#store;
    const { position, memory, quarantinedBytes } = this.#replay;
    const guard = guardsBehindEnd(this.list, position);
    this.#endProblems = [...endProblems(position, counters, this.geometry), ...(guard === undefined ? [] : [guard])];
    const { allocatable } = this.geometry;
    const total = sumOf(allocatable);
    // Files may lie past what new ones may use, when the superblock tells a smaller device.
    const simple = this.rejected.length === 0 && allocatable.length === 1 && memory.end <= allocatable[0].end;
    const free = simple ? total - memory.bytes
      : sumOf(freeRuns(memory, this.rejected.flatMap(({ extents }) => extents), allocatable));
    totals[Totals.total] = total;
    totals[Totals.free] = free;
    totals[Totals.quarantined] = Math.min(quarantinedBytes, total - free);
    Atomics.store(header, Header.seenNextIndex, counters.nextIndexLow);
    Atomics.store(header, Header.seenChangeLow, Number(BigInt.asIntN(32, this.#change)));
    Atomics.store(header, Header.seenChangeHigh, Number(BigInt.asIntN(32, this.#change >> 32n)));
  }
}


/** A long log fills much memory: in large pages, and while the replay is under way. */
function prepareMemory(shared: SharedArrayBuffer, capacity: number, entries: number): void {
  if (entries < LARGE_LOG) return;
  adviseHugePages(shared);
  for (const { offset, length } of IndexStore.parts(capacity, entries)) populateAhead(shared, offset, length);
}

function stateProblems(words: ReadonlyMap<number, bigint>): Problem[] {
  return [...words].map(([index, word]) => ({
    place: 'log entry', index, severity: 'damage', reason: `its state word is 0x${word.toString(16)}, which no writer stores`,
  }));
}

import { partsWithin } from '../alloc/free-runs.ts';
import { FamfsError } from '../errors.ts';
import { nextWord } from '../format/state-word.ts';
import { indexOf, nodeOf, ROOT, Status } from '../index/index-store.ts';
import type { Reject } from '../log/entry-memory.ts';
import type { Pool, PoolNode } from '../pool/pool.ts';
import { Claim } from './claim/claim.ts';
import { BATCH_MAX, type LogAppender } from './claim/log-appender.ts';
import { clearFree } from './clear-free.ts';
import { FollowedLog } from './followed-log.ts';
import { checkBatch, encodeBatch, type NewEntry } from './new-entries.ts';
import type { Quarantined } from './quarantine.ts';
import { refuseAliased, rejectsAt, zeroOwnMemory } from './rejects.ts';
import { mayClaim } from './take-over/may-claim.ts';
import { Predecessors } from './take-over/predecessors.ts';
import { takeOver } from './take-over/take-over.ts';
import type { AcquireOptions } from './take-over/wait-for-rival.ts';
import { Zeroing } from './zeroing.ts';

export type { NewEntry } from './new-entries.ts';
export type { WriterIdentity } from './claim/claim.ts';
export type { AcquireOptions } from './take-over/wait-for-rival.ts';

const HEARTBEAT_MS = 1000;

/** The one writer of a pool. All its changes are synchronous: nothing else runs in between. */
export class PoolWriter {
  readonly pool: Pool;
  readonly #claim: Claim;
  readonly #appender: LogAppender;
  readonly #log: FollowedLog;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #predecessors: Predecessors;
  readonly #zeroing: Zeroing;
  /** The scrub word: the entry that is being zeroed, plus one. */
  #named = 0n;

  /**
   * Takes the pool's claim, and the log over from whoever had it.
   * Throws FamfsError FOREIGN (another cluster's pool), CLAIMED (another writer rules), READ_ONLY,
   * REPLACED, DAMAGED, LOG_FULL or UNSUPPORTED.
   */
  static async acquire(pool: Pool, options: AcquireOptions): Promise<PoolWriter> {
    const isStopped = await mayClaim(pool, options);
    const { identity, assumeStopped = false } = options;
    const { replayer, memory } = pool;
    const choice = { floor: options.epochFloor ?? 0, isStopped, assumeStopped };
    const claim = Claim.write(memory.superblock, replayer.ring, pool.uuid, identity, choice);
    try {
      const taken = takeOver(claim, replayer, isStopped, options.willScrub ?? false);
      return new PoolWriter(pool, claim, taken.appender, new Predecessors(replayer, taken, isStopped));
    } catch (error) {
      claim.close();
      throw error;
    }
  }

  private constructor(pool: Pool, claim: Claim, appender: LogAppender, predecessors: Predecessors) {
    this.pool = pool;
    this.#claim = claim;
    this.#zeroing = new Zeroing(pool.memory, claim);
    this.#appender = appender;
    this.#predecessors = predecessors;
    this.#log = new FollowedLog(pool, claim, appender, predecessors,
      () => (this.#named === 0n ? predecessors.abandoned : [...predecessors.abandoned, Number(this.#named) - 1]));
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  /** Counts take-overs of the pool. */
  get epoch(): number {
    return this.#claim.head.epoch;
  }

  /** Whether this writer has been overruled, or failed in the middle of something. */
  get lost(): boolean {
    return this.#claim.lost;
  }

  /** The change word as this writer stored it last. */
  get change(): bigint {
    return this.#claim.change;
  }

  /** Throws FamfsError CLAIM_LOST unless this writer rules. A sign of life: no timer runs while its caller is at work. */
  mustRule(): void {
    this.#claim.mustRule();
    this.#claim.beat();
  }

  /**
   * Makes up to four directories and files, which all become visible at once. Files get their
   * memory here. Throws FamfsError INVALID, EXISTS, NOT_FOUND (the parent), NO_SPACE, TOO_LARGE,
   * LOG_FULL, DAMAGED; nothing has changed then. CLAIM_LOST: the batch may or may not be there.
   */
  create(batch: readonly NewEntry[]): PoolNode[] {
    if (batch.length < 1 || batch.length > BATCH_MAX) throw new FamfsError('INVALID', `a batch has 1 to ${BATCH_MAX} entries, not ${batch.length}`);
    this.#mustBeSound();
    checkBatch(this.pool, batch);
    const first = this.#appender.end;
    const slots = this.pool.replayer.geometry.capacity - first;
    if (slots < batch.length) {
      throw new FamfsError('LOG_FULL', `the log has ${slots} slots left, ${batch.length} are needed: no more can be created in this pool`);
    }
    this.#appender.append(this.#encode(batch));
    this.#log.refresh();
    return batch.map((_, k) => {
      if (this.pool.view.statusAt(first + k) === Status.Live) return this.pool.describe(nodeOf(first + k));
      throw new FamfsError('DAMAGED', `log entry ${first + k}, which was just made, is refused: run "famfs-csi fsck"`);
    });
  }

  /** Reads the memory that a file of `size` bytes would get, in another thread: or `create` would, while everything waits. */
  async prepare(size: number): Promise<void> {
    await this.#log.free.prepare(size);
  }

  /** Reads some free memory that nobody has read yet; answers the bytes, or undefined when there is none. Throws FamfsError CLAIM_LOST. */
  async readFree(): Promise<number | undefined> {
    return await this.#log.free.readNext();
  }

  /** Bytes of free memory that were not zero, or were voided by somebody else, since this writer took over. */
  get taintedBytes(): number {
    return this.#log.free.foundBytes;
  }

  #encode(batch: readonly NewEntry[]): Buffer[] {
    try {
      return encodeBatch(this.#appender.end, batch, this.#log.free);
    } catch (error) {
      if (!(error instanceof FamfsError) || error.code !== 'NO_SPACE' || this.#log.free.tainted.length === 0) throw error;
      const bytes = this.#log.quarantineTainted();
      throw new FamfsError('NO_SPACE', `${error.message}; ${bytes} more are scrubbed first, since somebody else has stored there: try again`);
    }
  }

  /**
   * Deletes a file (its memory is quarantined) or an empty directory. With `force`, whatever else has memory of the
   * file goes with it, and is answered. Who deletes many things lets `looksAtAll` be false for most of them: the
   * states of all other entries are looked at then only if somebody else is known to have changed one.
   * Throws FamfsError NOT_FOUND, NOT_EMPTY, INVALID (the root), ALIASED, IN_USE (for a moment), CLAIM_LOST.
   */
  remove(path: string, { force = false, looksAtAll = true } = {}): Reject[] {
    this.#log.refresh(); // nobody else may append, but who did may have made an alias
    const node = this.pool.view.resolve(path);
    if (node === 0) throw new FamfsError('NOT_FOUND', `${path} does not exist`);
    if (node === ROOT) throw new FamfsError('INVALID', 'the root of a pool cannot be removed');
    const directory = this.pool.view.isDirectory(node);
    if (directory && !this.pool.isEmpty(path)) throw new FamfsError('NOT_EMPTY', `${path} is not empty`);
    const rejects = rejectsAt(this.pool, [path]);
    if (!force) refuseAliased(path, rejects);
    this.#voidCollisions(path, rejects);
    const before = this.#claim.change;
    this.#log.moveState(indexOf(node), directory ? 'void' : 'quarantined');
    if (!directory) this.#log.quarantine.add(indexOf(node), this.#claim.change);
    this.#log.follow(indexOf(node), before, looksAtAll);
    return rejects.filter(({ isAlias }) => isAlias);
  }

  /** Throws FamfsError ALIASED where other files have memory of those at or below `path`: they would go with them. */
  mustBeUnaliased(path: string): void {
    this.#log.refresh();
    if (!this.pool.replayer.hasRejects) return;
    refuseAliased(path, rejectsAt(this.pool, [path, ...[...this.pool.walk(path)].map((node) => node.path)]));
  }

  /** Deleted files whose memory can be given back once every member knows that they are gone. */
  get quarantined(): readonly Quarantined[] {
    return this.#log.quarantine.entries.filter(({ index }) => !this.#predecessors.abandoned.includes(index));
  }

  /** Former writers that may still run, and what waits for their end. */
  get predecessors(): Pick<Predecessors, 'maybeRunning' | 'abandonedBytes'> {
    return this.#predecessors;
  }

  /** A former writer is known to be stopped: nothing waits for it any more. */
  markStopped(holder: string): void {
    if (this.#predecessors.markStopped(holder)) this.#log.free.reload();
  }

  /**
   * Does work that fills or changes a file's memory, with the file named in the claim meanwhile. Should
   * this writer be paused in the middle and overruled, its successor finds the name there, and gives that
   * memory to no other file before this writer is known to be stopped. Throws FamfsError CLAIM_LOST.
   */
  whileNamedInClaim<T>(node: number, work: () => T): T {
    this.#name(BigInt(indexOf(node) + 1));
    this.#claim.mustRule();
    try {
      return work();
    } finally {
      if (!this.#claim.lost) this.#name(0n);
    }
  }

  /**
   * Gives the memory of a quarantined file back (rule R6), after every member has acknowledged its
   * end: names it in the claim, zeroes it, and then voids its entry. Zeroes in another thread, `step`
   * bytes at a time, and yields the bytes done after each; other calls may come in between and
   * meanwhile. Given up in its middle, it can be begun again. `looksAtAll` as for `remove`.
   * Throws FamfsError CLAIM_LOST, or DAMAGED where the entry was written over.
   */
  async *reclaim(index: number, step: number, looksAtAll = true): AsyncGenerator<number, void, void> {
    const { replayer, memory } = this.pool;
    if (this.#named !== 0n) throw new Error(`entry ${this.#named - 1n} is being scrubbed`);
    if (replayer.view.statusAt(index) !== Status.Quarantined) return;
    const extents = this.#log.quarantine.extentsOf(index);
    this.#name(BigInt(index + 1));
    let before: bigint;
    try {
      yield* this.#zeroing.run(extents, step);
      memory.superblock.fence();
      before = this.#claim.change;
      if (replayer.view.statusAt(index) === Status.Quarantined) this.#log.moveState(index, 'void');
    } finally {
      if (!this.#claim.lost) this.#name(0n);
    }
    this.#log.quarantine.delete(index);
    this.#log.follow(index, before, looksAtAll);
    const { allocatable } = replayer.geometry;
    for (const extent of extents) this.#log.free.restore(this.pool.freeRuns(partsWithin(extent, allocatable)));
  }

  /**
   * Zeroes all memory that belongs to nobody, and all slots behind the log's end: for a pool of
   * which nothing is known. `report` is told the bytes done and the bytes in all.
   * Throws FamfsError CLAIM_LOST.
   */
  scrubFree(report: (done: number, total: number) => void = () => {}): void {
    clearFree(this.pool, this.#claim, this.#appender.end, report);
  }

  /** A clean stop: says so in the claim, so that the next writer need not wait. What is being zeroed ends before. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#zeroing.close();
  }

  /**
   * Before a file or directory goes: voids the refused entries that collide with it. A fresh replay would accept them
   * once it is gone, while a reader that follows has refused them: the two would see different trees. So they go first.
   */
  #voidCollisions(path: string, rejects: readonly Reject[]): void {
    const colliding = rejects.filter(({ index }) => nextWord(this.#appender.stateWord(index), 'void') !== undefined);
    if (colliding.length === 0) return;
    const named = this.#named; // another's scrub may be between two of its steps
    for (const rejected of colliding) {
      if (this.#zeroing.busy) throw new FamfsError('IN_USE', `${path} collides with log entry ${rejected.index}, and memory is just being zeroed: try again`);
      this.#name(BigInt(rejected.index + 1));
      this.#claim.mustRule();
      zeroOwnMemory(this.pool, rejected);
      this.#log.moveState(rejected.index, 'void');
      this.#name(named);
    }
    this.#log.refresh();
    this.#log.free.reload();
  }

  #name(word: bigint): void {
    this.#claim.storeScrubbing(word);
    this.#named = word;
  }

  #mustBeSound(): void {
    if (this.lost) this.mustRule();
    if (this.pool.replayer.damaged) throw new FamfsError('DAMAGED', 'the log is damaged and takes no new entries; run "famfs-csi fsck"');
  }

  #beat(): void {
    if (this.#claim.lost || this.pool.memory.closed) return clearInterval(this.#heartbeat);
    try {
      this.#claim.mustRule();
      this.#claim.beat();
      this.#claim.keepChange();
      if (this.#predecessors.maybeRunning.length > 0) this.#log.guardAgainstLate();
      else {
        this.#appender.repairCounters();
        this.#log.refresh(this.pool.replayer.damaged); // others may write here; and damage may have been there for an instant only
      }
      this.#log.quarantineTaintedSometimes();
    } catch {
      this.#claim.fail(); // whatever it was, who does not beat may be overruled: the next call tells its caller
      clearInterval(this.#heartbeat);
    }
  }
}

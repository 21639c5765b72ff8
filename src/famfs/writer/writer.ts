import type { Allocator } from '../alloc/allocator.ts';
import { freeRuns, partsWithin } from '../alloc/free-runs.ts';
import { deviceEnd } from '../device/pool-memory.ts';
import { FamfsError } from '../errors.ts';
import { nextWord } from '../format/state-word.ts';
import { indexOf, nodeOf, ROOT, Status } from '../index/index-store.ts';
import type { ClaimRecord } from '../log/claim-ring.ts';
import { readGeometry } from '../log/geometry.ts';
import { aliasesOf, collidingWith, nameRejected, type Rejected } from '../log/rejected.ts';
import type { Pool, PoolNode } from '../pool/pool.ts';
import { Claim, isKnownStopped } from './claim/claim.ts';
import { BATCH_MAX, type LogAppender } from './claim/log-appender.ts';
import { clearFree } from './clear-free.ts';
import { checkBatch, encodeBatch, type NewEntry } from './new-entries.ts';
import { Quarantine, type Quarantined } from './quarantine.ts';
import { Predecessors } from './take-over/predecessors.ts';
import { restore } from './take-over/restore.ts';
import { takeOver } from './take-over/take-over.ts';
import { type AcquireOptions, refuseLivingForeigner, waitForRival } from './take-over/wait-for-rival.ts';
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
  readonly #heartbeat: NodeJS.Timeout;
  readonly #quarantine: Quarantine;
  readonly #predecessors: Predecessors;
  readonly #zeroing: Zeroing;
  #allocator: Allocator;
  /** The scrub word: the entry that is being zeroed, plus one. */
  #named = 0n;

  /**
   * Takes the pool's claim, and the log over from whoever had it.
   * Throws FamfsError FOREIGN (another cluster's pool), CLAIMED (another writer rules), READ_ONLY,
   * DAMAGED, LOG_FULL or UNSUPPORTED.
   */
  static async acquire(pool: Pool, options: AcquireOptions): Promise<PoolWriter> {
    const { identity, assumeStopped = false } = options;
    if (!pool.memory.writable) throw new FamfsError('READ_ONLY', `${pool.memory.path} was opened read-only`);
    const { uuid, systemUuid } = readGeometry(pool.memory).superblock; // others may have changed it since
    if (!pool.replayer.identity.isUnchanged()) {
      throw new FamfsError('REPLACED', `${pool.memory.path} held the famfs ${pool.uuid} and was formatted anew (${uuid}): open it again`);
    }
    if (systemUuid !== identity.clusterUuid.toLowerCase()) {
      throw new FamfsError('FOREIGN', `${pool.memory.path} belongs to system ${systemUuid}, this is ${identity.clusterUuid}: ` +
        'run "famfs-csi adopt" once nobody else writes to it');
    }
    const isStopped = (record: ClaimRecord) =>
      assumeStopped || isKnownStopped(record, identity) || (options.stopped?.has(record.head.holder) ?? false);
    await waitForRival(pool, options, isStopped);
    if (assumeStopped) await refuseLivingForeigner(pool, identity);
    options.mayWrite?.();
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
    this.#quarantine = new Quarantine(pool.replayer);
    const quarantined = this.#quarantine.notYetAdded({ added: [], removed: [], rebuilt: true });
    if (quarantined.length > 0) claim.storeChange(); // one may have been stored after the last word was told
    for (const index of quarantined) this.#quarantine.add(index, claim.change);
    pool.reservedEntries = () => (this.#named === 0n ? predecessors.abandoned : [...predecessors.abandoned, Number(this.#named) - 1]);
    this.#allocator = pool.allocator();
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
    this.#appender.append(encodeBatch(first, batch, this.#allocator));
    this.#refresh();
    return batch.map((_, k) => {
      if (this.pool.view.statusAt(first + k) === Status.Live) return this.pool.describe(nodeOf(first + k));
      throw new FamfsError('DAMAGED', `log entry ${first + k}, which was just made, is refused: run "famfs-csi fsck"`);
    });
  }

  /**
   * Deletes a file (its memory is quarantined) or an empty directory. With `force`, whatever else has memory of the
   * file goes with it, and is answered.
   * Throws FamfsError NOT_FOUND, NOT_EMPTY, INVALID (the root), ALIASED, IN_USE (for a moment), CLAIM_LOST.
   */
  remove(path: string, { force = false } = {}): Rejected[] {
    this.#refresh(); // nobody else may append, but who did may have made an alias
    const node = this.pool.view.resolve(path);
    if (node === 0) throw new FamfsError('NOT_FOUND', `${path} does not exist`);
    if (node === ROOT) throw new FamfsError('INVALID', 'the root of a pool cannot be removed');
    const directory = this.pool.view.isDirectory(node);
    if (directory && this.pool.list(path).length > 0) throw new FamfsError('NOT_EMPTY', `${path} is not empty`);
    const aliases = this.#aliases([path]);
    if (!force) refuseAliased(path, aliases);
    this.#voidCollisions(node, path);
    this.#moveState(indexOf(node), directory ? 'void' : 'quarantined');
    if (!directory) this.#quarantine.add(indexOf(node), this.#claim.change);
    this.#refresh();
    return aliases;
  }

  /** Throws FamfsError ALIASED where other files have memory of those at or below `path`: they would go with them. */
  mustBeUnaliased(path: string): void {
    this.#refresh();
    if (this.pool.replayer.rejected.length === 0) return;
    refuseAliased(path, this.#aliases([path, ...[...this.pool.walk(path)].map((node) => node.path)]));
  }

  /** Deleted files whose memory can be given back once every member knows that they are gone. */
  get quarantined(): readonly Quarantined[] {
    return this.#quarantine.entries.filter(({ index }) => !this.#predecessors.abandoned.includes(index));
  }

  /** Former writers that may still run, and what waits for their end. */
  get predecessors(): Pick<Predecessors, 'maybeRunning' | 'abandonedBytes'> {
    return this.#predecessors;
  }

  /** A former writer is known to be stopped: nothing waits for it any more. */
  markStopped(holder: string): void {
    if (this.#predecessors.markStopped(holder)) this.#allocator = this.pool.allocator();
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
   * meanwhile. Given up in its middle, it can be begun again.
   * Throws FamfsError CLAIM_LOST, or DAMAGED where the entry was written over.
   */
  async *reclaim(index: number, step: number): AsyncGenerator<number, void, void> {
    const { replayer, memory } = this.pool;
    if (this.#named !== 0n) throw new Error(`entry ${this.#named - 1n} is being scrubbed`);
    if (replayer.view.statusAt(index) !== Status.Quarantined) return;
    const extents = this.#quarantine.extentsOf(index);
    this.#name(BigInt(index + 1));
    try {
      yield* this.#zeroing.run(extents, step);
      memory.superblock.fence();
      if (replayer.view.statusAt(index) === Status.Quarantined) this.#moveState(index, 'void');
    } finally {
      if (!this.#claim.lost) this.#name(0n);
    }
    this.#quarantine.delete(index);
    this.#refresh();
    const { allocatable } = replayer.geometry;
    for (const extent of extents) this.#allocator.restore(this.pool.freeRuns(partsWithin(extent, allocatable)));
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

  #aliases(paths: readonly string[]): Rejected[] {
    const { replayer: { rejected }, view } = this.pool;
    if (rejected.length === 0) return [];
    return aliasesOf(rejected, new Set(paths), paths.flatMap((path) => view.extents(view.resolve(path))));
  }

  /**
   * Before a file or directory goes: voids the refused entries that collide with it. A fresh replay would accept
   * them once it is gone, while a reader that follows has refused them: the two would see different trees. Memory
   * that is theirs alone is zeroed first.
   */
  #voidCollisions(node: number, path: string): void {
    const { replayer, memory } = this.pool;
    const extents = this.pool.view.extents(node);
    let voided = false;
    const named = this.#named; // another's scrub may be between two of its steps
    for (const rejected of collidingWith(replayer.rejected, path, extents)) {
      if (nextWord(this.#appender.stateWord(rejected.index), 'void') === undefined) continue;
      if (this.#zeroing.busy) throw new FamfsError('IN_USE', `${path} collides with log entry ${rejected.index}, and memory is just being zeroed: try again`);
      this.#name(BigInt(rejected.index + 1));
      this.#claim.mustRule();
      for (const { start, end } of rejected.extents) {
        const area = { start, end: Math.min(end, deviceEnd(memory, start)) };
        for (const own of freeRuns(replayer.memory, [], [area])) memory.zero(own.start, own.end - own.start);
      }
      this.#moveState(rejected.index, 'void');
      this.#name(named);
      voided = true;
    }
    if (!voided) return;
    this.#refresh();
    this.#allocator = this.pool.allocator();
  }

  #name(word: bigint): void {
    this.#claim.storeScrubbing(word);
    this.#named = word;
  }

  /**
   * Applies what the log has gained. A deletion that a late predecessor has stored gets a change word of this writer:
   * members acknowledge words of the writer that rules, so no other word can be waited for.
   */
  #refresh(thorough = false): void {
    const { size } = this.#quarantine;
    const delta = this.pool.replayer.catchUp(thorough);
    const late = this.#quarantine.notYetAdded(delta);
    if (late.length > 0 || (thorough && delta.removed.length > 0)) this.#claim.storeChange();
    for (const index of late) this.#quarantine.add(index, this.#claim.change);
    if (thorough && (delta.removed.length > 0 || delta.rebuilt || this.#quarantine.size !== size)) {
      this.#allocator = this.pool.allocator();
    }
  }

  #moveState(index: number, to: 'quarantined' | 'void'): void {
    const word = nextWord(this.#appender.stateWord(index), to);
    if (word === undefined) throw new FamfsError('DAMAGED', `log entry ${index}: its state word cannot become ${to}`);
    this.#appender.storeState(index, word);
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
      if (this.#predecessors.maybeRunning.length > 0) this.#guardAgainstLate();
      else this.#appender.repairCounters();
      if (this.pool.replayer.damaged) this.#refresh(true); // it may have been for an instant only
    } catch {
      this.#claim.fail(); // whatever it was, who does not beat may be overruled: the next call tells its caller
      clearInterval(this.#heartbeat);
    }
  }

  /** While a former writer may wake up late: adopts and restores what it stores, and sees whether it is known to be stopped. */
  #guardAgainstLate(): void {
    const { replayer } = this.pool;
    restore(replayer, this.#appender, this.#predecessors.guards);
    this.#refresh(true);
    if (this.#predecessors.recheck()) this.#allocator = this.pool.allocator();
  }
}

function refuseAliased(path: string, aliases: readonly Rejected[]): void {
  if (aliases.length === 0) return;
  throw new FamfsError('ALIASED', `${path} shares its memory with what the reference tools show as other files (${nameRejected(aliases)}): ` +
    'they would go with it; "famfs-csi rm --force" deletes them all');
}

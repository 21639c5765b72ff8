import { type Run, sumOf } from '../alloc/free-runs.ts';
import { FamfsError } from '../errors.ts';
import { EXTENTS_MAX } from '../format/entry-layout.ts';
import { nextWord } from '../format/state-word.ts';
import { indexOf, nodeOf, Status } from '../index/index-store.ts';
import { memoryOf } from '../log/entry-memory.ts';
import type { ReplayDelta } from '../log/replayer.ts';
import type { Pool } from '../pool/pool.ts';
import type { Claim } from './claim/claim.ts';
import type { LogAppender } from './claim/log-appender.ts';
import { FreeMemory } from './free-memory.ts';
import { encodeQuarantined } from './new-entries.ts';
import { Quarantine } from './quarantine.ts';
import type { Predecessors } from './take-over/predecessors.ts';
import { restore } from './take-over/restore.ts';

/** How often tainted memory gets an owner in the background, and up to which share of the log's slots. */
const TAINTED_PAUSE_MS = 60_000;
const TAINTED_SLOTS = 0.95;

/**
 * What a writer keeps in step with the log, which others may store into: which files are in quarantine, and which
 * memory is free and zero.
 */
export class FollowedLog {
  readonly quarantine: Quarantine;
  readonly free: FreeMemory;
  readonly #pool: Pool;
  readonly #claim: Claim;
  readonly #appender: LogAppender;
  readonly #predecessors: Predecessors;
  #quarantinedTaintedAt = -Infinity;

  /** `reserved`: entries whose memory is not free, though they may be void. */
  constructor(pool: Pool, claim: Claim, appender: LogAppender, predecessors: Predecessors, reserved: () => readonly number[]) {
    this.#pool = pool;
    this.#claim = claim;
    this.#appender = appender;
    this.#predecessors = predecessors;
    this.quarantine = new Quarantine(pool.replayer);
    const quarantined = this.quarantine.notYetAdded({ added: [], removed: [], rebuilt: true });
    if (quarantined.length > 0) claim.storeChange(); // one may have been stored after the last word was told
    for (const index of quarantined) this.quarantine.add(index, claim.change);
    pool.reservedEntries = reserved;
    this.free = new FreeMemory(pool);
  }

  /**
   * Applies what the log has gained. A deletion that a late predecessor has stored gets a change word of this writer:
   * members acknowledge words of the writer that rules, so no other word can be waited for.
   */
  refresh(thorough = false): void {
    const { size } = this.quarantine;
    const { replayer } = this.#pool;
    const { change, end } = replayer;
    const delta = replayer.catchUp(thorough);
    if (!thorough && !delta.rebuilt && replayer.change === change && replayer.end === end) return; // nothing has changed
    const voided = [...this.quarantine.dropVoid(), ...this.#voidedFiles(delta)];
    const late = this.quarantine.notYetAdded(delta);
    if (late.length > 0 || (thorough && delta.removed.length > 0)) this.#claim.storeChange();
    for (const index of late) this.quarantine.add(index, this.#claim.change);
    // What was free may be quarantined for whoever reads the log anew.
    if (delta.rebuilt || (thorough && (delta.removed.length > 0 || this.quarantine.size !== size))) this.free.reload();
    if (voided.length > 0) this.free.taint(voided.flat());
  }

  /**
   * The same after this writer has moved the state of an entry; the change word was `before` until then. Unless it
   * `looksAtAll`, which takes milliseconds in a long log, it looks at no other entry where no predecessor may store.
   */
  follow(index: number, before: bigint, looksAtAll: boolean): void {
    const looks = looksAtAll || this.#predecessors.maybeRunning.length > 0;
    if (looks || !this.#pool.replayer.followOwn(index, before, this.#claim.change)) this.refresh();
  }

  /** Moves an entry's state forward. Throws FamfsError DAMAGED or CLAIM_LOST. */
  moveState(index: number, to: 'quarantined' | 'void'): void {
    const word = nextWord(this.#appender.stateWord(index), to);
    if (word === undefined) throw new FamfsError('DAMAGED', `log entry ${index}: its state word cannot become ${to}`);
    this.#appender.storeState(index, word);
  }

  /** While a former writer may wake up late: adopts and restores what it stores, and sees whether it is known to be stopped. */
  guardAgainstLate(): void {
    restore(this.#pool.replayer, this.#appender, this.#predecessors.guards);
    this.refresh(true);
    if (this.#predecessors.recheck()) this.free.reload();
  }

  /**
   * Gives tainted memory an owner: a file that is deleted from the start, so that it is scrubbed when all members
   * know of it. Costs a slot for 16 ranges. Answers how many bytes are scrubbed so.
   */
  quarantineTainted(): number {
    let bytes = 0;
    const { capacity } = this.#pool.replayer.geometry;
    while (this.free.tainted.length > 0 && this.#appender.end < capacity) bytes += this.#quarantineSome();
    return bytes;
  }

  /** The same in the background: seldom, since whoever can store into free memory could use up all slots by it. */
  quarantineTaintedSometimes(): void {
    const { geometry, damaged } = this.#pool.replayer;
    const isDue = performance.now() - this.#quarantinedTaintedAt > TAINTED_PAUSE_MS && this.#appender.end < TAINTED_SLOTS * geometry.capacity;
    if (isDue && !damaged && this.free.tainted.length > 0) this.#quarantineSome();
  }

  #quarantineSome(): number {
    const slot = this.#appender.end;
    const runs = this.free.takeTainted(EXTENTS_MAX);
    this.#appender.append([encodeQuarantined(slot, runs)]);
    this.#claim.storeChange();
    this.refresh();
    this.quarantine.add(slot, this.#claim.change);
    this.#quarantinedTaintedAt = performance.now();
    return sumOf(runs);
  }

  /** The memory of files that were live and are void now: no writer goes that way, so members may still use it. */
  #voidedFiles({ removed }: ReplayDelta): Run[][] {
    const { view, replayer } = this.#pool;
    return removed.map(indexOf).filter((index) => view.statusAt(index) === Status.Void).map((index) => {
      const known = view.extents(nodeOf(index)); // none after everything was replayed anew
      return known.length > 0 ? known : memoryOf(replayer.geometry, index);
    });
  }
}

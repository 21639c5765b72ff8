import { setTimeout as sleep } from 'node:timers/promises';
import type { Allocator } from './alloc/allocator.ts';
import { freeRuns, sumOf } from './alloc/free-runs.ts';
import { FamfsError } from './errors.ts';
import { ClaimLayout, recordOffset, SCRUB_POOL } from './format/claim-record.ts';
import { EntryLayout } from './format/entry-layout.ts';
import { nextWord } from './format/state-word.ts';
import { uptime } from './host.ts';
import { checkBatch, encodeBatch, type NewEntry } from './new-entries.ts';
import { Claim, isKnownStopped, type WriterIdentity } from './log/claim.ts';
import type { ClaimRecord } from './log/claim-ring.ts';
import { ROOT } from './log/index-store.ts';
import { indexOf, nodeOf } from './log/index-writer.ts';
import { BATCH_MAX, type LogAppender } from './log/log-appender.ts';
import { readGeometry } from './log/geometry.ts';
import { entryOffset } from './log/log-scanner.ts';
import { takeOver } from './log/take-over.ts';
import type { Pool, PoolNode } from './pool.ts';

export type { NewEntry } from './new-entries.ts';
export type { WriterIdentity } from './log/claim.ts';

export interface AcquireOptions {
  readonly identity: WriterIdentity;
  /** The lease's own count: the epoch will be higher. */
  readonly epochFloor?: number;
  /**
   * How long a rival's heartbeat must stand still before it is overruled. 0 (default) refuses at
   * once unless the rival is known to be stopped.
   */
  readonly waitMs?: number;
  /** Since when, in seconds since boot, the caller has seen a rival's record stand still, where it has watched. */
  readonly silentSince?: (rival: ClaimRecord) => number | undefined;
  /** Throws where the claim must not be written after all; asked right before, after all waiting. */
  readonly mayWrite?: () => void;
  /** The operator's word that every former writer is stopped. */
  readonly assumeStopped?: boolean;
  /** The caller zeroes all free memory, and so may finish what another left half done. */
  readonly willScrub?: boolean;
  readonly signal?: AbortSignal;
}

/** Bytes zeroed between two looks at the claim. */
const SCRUB_STEP = 2 * 2 ** 20;
const HEARTBEAT_MS = 1000;
const WATCH_MS = 200;

/** The one writer of a pool. All its changes are synchronous: nothing else runs in between. */
export class PoolWriter {
  readonly pool: Pool;
  readonly #claim: Claim;
  readonly #appender: LogAppender;
  readonly #heartbeat: NodeJS.Timeout;
  #allocator: Allocator;

  /**
   * Takes the pool's claim, and the log over from whoever had it.
   * Throws FamfsError FOREIGN (another cluster's pool), CLAIMED (another writer rules), READ_ONLY,
   * DAMAGED, LOG_FULL or UNSUPPORTED.
   */
  static async acquire(pool: Pool, options: AcquireOptions): Promise<PoolWriter> {
    const { identity, assumeStopped = false } = options;
    if (!pool.device.writable) throw new FamfsError('READ_ONLY', `${pool.device.path} was opened read-only`);
    const { uuid, systemUuid } = readGeometry(pool.device).superblock; // others may have changed it since
    if (uuid !== pool.uuid) {
      throw new FamfsError('REPLACED', `${pool.device.path} held the famfs ${pool.uuid} and now holds ${uuid}: open it again`);
    }
    if (systemUuid !== identity.clusterUuid.toLowerCase()) {
      throw new FamfsError('FOREIGN', `${pool.device.path} belongs to system ${systemUuid}, this is ${identity.clusterUuid}: ` +
        'run "famfs-csi adopt" once nobody else writes to it');
    }
    const isStopped = (record: ClaimRecord) => assumeStopped || isKnownStopped(record, identity);
    await outwait(pool, options, isStopped);
    if (assumeStopped) await refuseMovingForeigner(pool, identity);
    options.mayWrite?.();
    const { replayer, device } = pool;
    const claim = Claim.write(device.superblock, replayer.ring, pool.uuid, identity, options.epochFloor ?? 0, isStopped, assumeStopped);
    try {
      return new PoolWriter(pool, claim, takeOver(claim, replayer, isStopped, options.willScrub ?? false));
    } catch (error) {
      claim.close();
      throw error;
    }
  }

  private constructor(pool: Pool, claim: Claim, appender: LogAppender) {
    this.pool = pool;
    this.#claim = claim;
    this.#appender = appender;
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

  /** Throws FamfsError CLAIM_LOST unless this writer rules. */
  mustRule(): void {
    this.#claim.mustRule();
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
    this.pool.refresh();
    return batch.map((_, k) => this.pool.describe(nodeOf(first + k)));
  }

  /**
   * Deletes a file (its memory is quarantined) or an empty directory.
   * Throws FamfsError NOT_FOUND, NOT_EMPTY, INVALID (the root), CLAIM_LOST.
   */
  remove(path: string): void {
    const node = this.pool.view.resolve(path);
    if (node === 0) throw new FamfsError('NOT_FOUND', `${path} does not exist`);
    if (node === ROOT) throw new FamfsError('INVALID', 'the root of a pool cannot be removed');
    const directory = this.pool.view.isDirectory(node);
    if (directory && this.pool.list(path).length > 0) throw new FamfsError('NOT_EMPTY', `${path} is not empty`);
    this.#voidCollisions(node, path);
    this.#moveState(indexOf(node), directory ? 'void' : 'quarantined');
    this.pool.refresh();
  }

  /**
   * Zeroes all memory that belongs to nobody, and all slots behind the log's end: for a pool of
   * which nothing is known. `report` is told the bytes done and the bytes in all.
   * Throws FamfsError CLAIM_LOST.
   */
  scrubFree(report: (done: number, total: number) => void = () => {}): void {
    const { replayer, device } = this.pool;
    const { log, capacity, dataStart, dataEnd } = replayer.geometry;
    const held = replayer.rejected.flatMap(({ extents }) => extents);
    const runs = freeRuns(replayer.memory, held, dataStart, dataEnd);
    const total = sumOf(runs);
    this.#claim.storeScrubbing(SCRUB_POOL);
    this.#claim.mustRule();
    log.zero(entryOffset(this.#appender.end), (capacity - this.#appender.end) * EntryLayout.size);
    let done = 0;
    for (const { start, end } of runs) {
      for (let at = start; at < end; at += SCRUB_STEP) {
        this.#claim.mustRule();
        this.#claim.beat(); // no timer runs meanwhile, and who does not beat looks dead
        const length = Math.min(SCRUB_STEP, end - at);
        device.zero(at, length);
        report(done += length, total);
      }
    }
    this.#claim.mustRule();
    for (const { head } of replayer.ring.records()) device.superblock.store64(recordOffset(head.epoch) + ClaimLayout.scrubbing, 0n);
    device.superblock.fence();
  }

  /** A clean stop: says so in the claim, so that the next writer need not wait. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#claim.close();
  }

  /**
   * A refused entry that collides with a live one would come to life when that one goes, for a
   * fresh reader alone: so it goes first. What memory it had for itself is zeroed before.
   */
  #voidCollisions(node: number, path: string): void {
    const { replayer, device } = this.pool;
    const extents = this.pool.view.extents(node).map(({ offset, length }) => ({ start: offset, end: offset + length }));
    let voided = false;
    const meets = (a: { start: number; end: number }) => extents.some((b) => a.start < b.end && b.start < a.end);
    for (const rejected of replayer.rejected) {
      if (rejected.path !== path && !rejected.extents.some(meets)) continue;
      if (nextWord(this.#appender.stateWord(rejected.index), 'void') === undefined) continue;
      this.#claim.storeScrubbing(BigInt(rejected.index + 1));
      this.#claim.mustRule();
      for (const { start, end } of rejected.extents) {
        for (const own of freeRuns(replayer.memory, [], start, Math.min(end, device.size))) device.zero(own.start, own.end - own.start);
      }
      this.#moveState(rejected.index, 'void');
      this.#claim.storeScrubbing(0n);
      voided = true;
    }
    if (!voided) return;
    this.pool.refresh();
    this.#allocator = this.pool.allocator();
  }

  #moveState(index: number, to: 'quarantined' | 'void'): void {
    const word = nextWord(this.#appender.stateWord(index), to);
    if (word === undefined) throw new FamfsError('DAMAGED', `log entry ${index}: its state word cannot become ${to}`);
    this.#appender.storeState(index, word);
  }

  #mustBeSound(): void {
    if (this.#claim.lost) this.#claim.mustRule();
    if (this.pool.replayer.damaged) throw new FamfsError('DAMAGED', 'the log is damaged and takes no new entries; run "famfs-csi fsck"');
  }

  #beat(): void {
    if (this.#claim.lost || this.pool.device.closed) return clearInterval(this.#heartbeat);
    try {
      this.#claim.mustRule();
      this.#claim.beat();
      this.#appender.repairCounters();
    } catch {
      clearInterval(this.#heartbeat); // the next call tells its caller
    }
  }
}

/**
 * Waits until the ruling writer may be overruled: at once when it is known to be stopped, else when
 * its record has not changed for `waitMs` on this host's clock. A foreign cluster's never is.
 */
async function outwait(pool: Pool, options: AcquireOptions, isStopped: (record: ClaimRecord) => boolean): Promise<void> {
  const { ring } = pool.replayer;
  const rival = ring.ruling();
  if (rival === undefined || isStopped(rival)) return;
  const { holder, clusterUuid } = rival.head;
  const waitMs = clusterUuid === options.identity.clusterUuid.toLowerCase() ? options.waitMs ?? 0 : 0;
  const since = options.silentSince?.(rival) ?? uptime();
  for (;;) {
    const now = ring.ruling();
    if (now === undefined || isStopped(now)) return;
    const moved = now.head.epoch !== rival.head.epoch || now.head.holder !== holder || now.heartbeat !== rival.heartbeat;
    if (moved || waitMs === 0) {
      throw new FamfsError('CLAIMED', `${pool.device.path}: ${now.head.holder} writes to this pool (epoch ${now.head.epoch}); ` +
        'stop it first, or say that it is stopped if it can no longer do so itself');
    }
    if ((uptime() - since) * 1000 >= waitMs) return;
    await sleep(WATCH_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Not even an operator's word lets a writer of another cluster be overruled whose heartbeat moves. */
async function refuseMovingForeigner(pool: Pool, identity: WriterIdentity): Promise<void> {
  const { ring } = pool.replayer;
  const rival = ring.ruling();
  if (rival === undefined || rival.closed || rival.head.clusterUuid === identity.clusterUuid.toLowerCase()) return;
  if (isKnownStopped(rival, identity)) return;
  await sleep(2.5 * HEARTBEAT_MS);
  const now = ring.ruling();
  if (now?.head.epoch !== rival.head.epoch || now.heartbeat !== rival.heartbeat) {
    throw new FamfsError('CLAIMED', `${pool.device.path}: ${rival.head.holder} of another cluster is alive and writes to this pool`);
  }
}

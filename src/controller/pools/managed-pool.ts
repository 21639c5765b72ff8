import { setTimeout as delay } from 'node:timers/promises';
import { refuse } from '../../csi/errors.ts';
import type { PoolConfig } from '../../csi/pool-config.ts';
import { FamfsError, messageOf } from '../../famfs/errors.ts';
import { LogPatrol } from '../../famfs/log/patrol.ts';
import { describeProblem, type Problem } from '../../famfs/log/problem.ts';
import type { Pool } from '../../famfs/pool/pool.ts';
import { hostOf } from '../../famfs/writer/claim/writer-lock.ts';
import { PoolWriter } from '../../famfs/writer/writer.ts';
import type { PoolFigures, PoolHealth } from '../../metrics/controller-metrics.ts';
import { FreeMemoryReader } from './free-memory-reader.ts';
import { openOrFormat } from './open-or-format.ts';
import type { PoolOptions } from './pool-options.ts';
import { healthAfter, PoolReporter } from './pool-reporter.ts';
import { ReclaimLoop, type ReclaimState } from './reclaim-loop.ts';

/** How long a rival's heartbeat must stand still before its claim counts as given up: longer than a lease lasts. */
const CLAIM_WAIT_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** How often to see whether the claim was lost while nobody called. */
const CHECK_MS = 1_000;
/** Log entries that are read again at each check: a millisecond's work. */
const PATROL_ENTRIES = 4096;
const WITHOUT_NEW = 'the pool serves what it has and takes no new volumes; run "famfs-csi fsck"';

/**
 * One pool of the controller and the way to its claim. Without the claim the pool is unavailable,
 * with the reason, and the claim is sought in the background until the controller ends.
 */
export class ManagedPool {
  readonly spec: PoolConfig;
  readonly #options: PoolOptions;
  readonly #reporter: PoolReporter;
  readonly #stopping = new AbortController();
  #pool: Pool | undefined;
  #uuid: string | undefined;
  #writer: PoolWriter | undefined;
  #patrol: LogPatrol | undefined;
  #reclaimLoop: ReclaimLoop | undefined;
  #freeMemoryReader: FreeMemoryReader | undefined;
  /** A writer is being had: what the log has gained is for that one to see. */
  #acquiring = false;
  #damage: Problem | undefined;
  #problem = 'its claim is still being sought';
  #seeking: Promise<void> = Promise.resolve();
  #check: NodeJS.Timeout | undefined;

  constructor(spec: PoolConfig, options: PoolOptions) {
    this.spec = spec;
    this.#options = options;
    this.#reporter = new PoolReporter(spec.name, options.notices);
  }

  /** Opens the pool and takes its claim; resolves after the first attempt, however it ends. */
  start(): Promise<void> {
    const first = this.#attempt();
    this.#seeking = first.then(() => this.#retryUntilHeld());
    this.#check = setInterval(() => this.#lookAfter(), CHECK_MS).unref();
    return first;
  }

  /** The file system's UUID, once the superblock could be read. */
  get uuid(): string | undefined {
    return this.#uuid;
  }

  /** Where it was found, or else where it is configured. */
  get device(): string {
    return this.#pool?.memory.path ?? this.spec.device;
  }

  /** The writer, which rules at this moment. Throws UNAVAILABLE while there is none. */
  get writer(): PoolWriter {
    if (this.#writer === undefined) throw this.unavailable();
    try {
      this.#options.lease.mustHold();
    } catch (error) {
      throw this.unavailable(messageOf(error));
    }
    try {
      this.#writer.mustRule();
    } catch (error) {
      this.#lose(error);
      throw this.unavailable();
    }
    return this.#writer;
  }

  /** The pool as it is now, readable without the claim too. Throws UNAVAILABLE where it cannot be opened. */
  get view(): Pool {
    if (this.#pool === undefined) throw this.unavailable();
    // The writer's own view is always current; without it, others write.
    if (this.#writer === undefined && !this.#acquiring) this.#pool.refresh();
    return this.#pool;
  }

  get isReadable(): boolean {
    return this.#pool !== undefined;
  }

  get isWritable(): boolean {
    return this.#writer !== undefined;
  }

  /** Reads what a new file of `size` bytes would get, without keeping others waiting: to be called before it is made. */
  async prepare(size: number): Promise<void> {
    await this.writer.prepare(size);
  }

  /** Does something with the writer, and notices when the claim turns out to be lost. */
  write<Result>(work: (writer: PoolWriter) => Result): Result {
    try {
      const { writer } = this;
      if (this.#damage !== undefined) throw this.unavailable(`${describeProblem(this.#damage)}; ${WITHOUT_NEW}`);
      const result = work(writer);
      this.#reportSlots();
      return result;
    } catch (error) {
      if (error instanceof FamfsError && error.code === 'CLAIM_LOST') this.#lose(error);
      throw error;
    }
  }

  get health(): PoolHealth {
    return this.#reporter.health;
  }

  /** What metrics tell of this pool. */
  figures(): PoolFigures {
    const { name: pool } = this.spec;
    const { health } = this;
    try {
      const { reclaim } = this;
      const taintedBytes = this.#writer?.taintedBytes ?? 0;
      return { pool, health, usage: this.view.usage(), taintedBytes, ...(reclaim === undefined ? {} : { reclaim }) };
    } catch {
      return { pool, health }; // its health says that it cannot be read; the other pools are told of
    }
  }

  /** What becomes of the memory of deleted volumes; undefined while nothing can. */
  get reclaim(): ReclaimState | undefined {
    return this.#reclaimLoop?.state;
  }

  /** Tells that something was deleted. */
  deleted(): void {
    this.#reclaimLoop?.wake();
  }

  /** Closes the claim and the pool. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#check);
    await this.#seeking;
    await this.#close();
  }

  /** The refusal that a caller gets who needs more than there is now. */
  unavailable(reason = this.#problem): Error {
    return refuse.unavailable(`pool ${this.spec.name} (${this.device}) is unavailable: ${reason}`);
  }

  /** What nobody's call would notice. */
  #lookAfter(): void {
    if (this.#writer === undefined) return;
    try {
      this.#writer.mustRule();
    } catch (error) {
      return this.#lose(error);
    }
    this.#damage = this.#patrol!.step(PATROL_ENTRIES) ?? this.#pool!.replayer.problems.find(({ severity }) => severity === 'damage');
    if (this.#damage === undefined) this.#reporter.reportAvailable();
    else this.#reporter.reportProblem('damaged', `${describeProblem(this.#damage)}; ${WITHOUT_NEW}`);
    this.#reportSlots();
  }

  #reportSlots(): void {
    if (this.#pool === undefined) return;
    const { slotsUsed, slotsTotal, quarantinedBytes } = this.#pool.view.usage();
    this.#reporter.reportSlots(slotsUsed, slotsTotal);
    if (this.spec.referenceClients) this.#reporter.reportKept(quarantinedBytes);
  }

  #lose(error: unknown): void {
    const reason = messageOf(error);
    this.#problem = reason;
    this.#options.log.error('claim lost', { pool: this.spec.name, reason });
    this.#report(error);
    const closed = this.#close();
    this.#seeking = this.#seeking.then(() => closed).then(() => this.#retryUntilHeld());
  }

  /** At once for callers; the claim is closed when nobody stores any more, and then the memory is unmapped. */
  async #close(): Promise<void> {
    const [loops, writer, pool] = [[this.#reclaimLoop, this.#freeMemoryReader], this.#writer, this.#pool];
    this.#reclaimLoop = this.#freeMemoryReader = this.#writer = this.#pool = undefined;
    await Promise.all(loops.map((loop) => loop?.stop()));
    try {
      writer?.close();
    } catch (error) {
      this.#options.log.warn('claim not closed', { pool: this.spec.name, reason: messageOf(error) });
    }
    pool?.close();
  }

  async #retryUntilHeld(): Promise<void> {
    const { signal } = this.#stopping;
    let pause = FIRST_RETRY_MS;
    while (this.#writer === undefined && !signal.aborted) {
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.#attempt();
      pause = Math.min(pause * 2, LAST_RETRY_MS);
    }
  }

  async #attempt(): Promise<void> {
    const { identity, lease, log, watches } = this.#options;
    try {
      this.#pool ??= await openOrFormat(this.spec, this.#options);
      this.#uuid = this.#pool.uuid;
      const watch = watches.get(this.device);
      this.#acquiring = true;
      const writer = await PoolWriter.acquire(this.#pool, {
        identity, epochFloor: lease.epochOf(this.#pool.uuid), waitMs: CLAIM_WAIT_MS, signal: this.#stopping.signal,
        silentSince: (rival) => watch?.silentSince(rival), mayWrite: () => lease.mustHold(), stopped: await this.#stoppedHolders(this.#pool),
      });
      await this.#remember(writer);
      log.info('claim held', { pool: this.spec.name, uuid: this.#uuid, epoch: writer.epoch });
      this.#reporter.reportAvailable();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (error instanceof FamfsError && error.code === 'REPLACED') await this.#close(); // the next attempt opens what is there now
      const reason = messageOf(error);
      if (reason !== this.#problem) log.warn('pool unavailable', { pool: this.spec.name, device: this.device, reason });
      this.#problem = reason;
      this.#report(error);
    } finally {
      this.#acquiring = false;
    }
  }

  /** Former writers that others than themselves know to be stopped. */
  async #stoppedHolders({ replayer }: Pool): Promise<Set<string>> {
    const holders = new Set<string>();
    for (const { head: { holder, bootId }, closed } of replayer.ring.records()) {
      const why = closed ? undefined : await this.#options.hosts.whyGone(hostOf(holder), bootId).catch(() => undefined);
      if (why !== undefined) holders.add(holder);
    }
    return holders;
  }

  #report(error: unknown): void {
    this.#reporter.reportProblem(healthAfter(error, this.#pool, this.#options.identity.clusterUuid), messageOf(error));
  }

  /** Nothing may be acknowledged under an epoch that the lease could forget. */
  async #remember(writer: PoolWriter): Promise<void> {
    try {
      await this.#options.lease.raise(writer.pool.uuid, writer.epoch);
      this.#writer = writer;
      this.#patrol = new LogPatrol(writer.pool.replayer, writer.pool.memory.superblock);
      this.#damage = undefined;
      this.#startLoops(writer);
    } catch (error) {
      writer.close();
      throw error;
    }
  }

  #startLoops(writer: PoolWriter): void {
    const { members, hosts, notices, scrubRate: rate, log } = this.#options;
    const isSound = () => this.#damage === undefined && !writer.pool.replayer.damaged;
    const common = { pool: this.spec.name, writer, notices, rate, isSound, log };
    this.#freeMemoryReader = new FreeMemoryReader(common);
    if (!this.spec.referenceClients) this.#reclaimLoop = new ReclaimLoop({ ...common, members, hosts });
  }
}

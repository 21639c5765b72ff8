import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'winston';
import { formatBytes } from '../../csi/bytes.ts';
import { FamfsError } from '../../famfs/errors.ts';
import { hostOf } from '../../famfs/writer/claim/writer-lock.ts';
import { Reclaim } from '../../famfs/writer/reclaim.ts';
import type { PoolWriter } from '../../famfs/writer/writer.ts';
import type { Hosts, Member, Members, Notices } from '../../state/interfaces.ts';

/** What the return of a pool's memory needs. */
export interface ReclaimLoopOptions {
  /** The pool's name in the configuration. */
  readonly pool: string;
  readonly writer: PoolWriter;
  readonly members: Members;
  readonly hosts: Hosts;
  readonly notices: Notices;
  /** Bytes zeroed a second. */
  readonly rate: number;
  /** Whether the log can be trusted: in a damaged one, memory may belong to entries that nobody can read. */
  readonly isSound: () => boolean;
  readonly log: Logger;
}

/** What becomes of deleted memory at this moment. */
export interface ReclaimState {
  /** Bytes of the file whose memory is being zeroed, and how many are done. */
  readonly scrubbingBytes: number;
  readonly scrubbedBytes: number;
  /** Hosts that have not let go of something deleted. */
  readonly waitsFor: readonly string[];
}

const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 5_000;
/** After so long others are asked about a silent host, and again after as long. */
const SILENCE_MS = 3_000;
/** After so long people are told. */
const HELD_MS = 30_000;

/**
 * Gives the memory of deleted volumes back, in the background, as long as its writer rules: asks the
 * members what they have let go of, and releases those of which it is known that they hold nothing.
 */
export class ReclaimLoop {
  readonly #options: ReclaimLoopOptions;
  readonly #reclaim: Reclaim;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** Since when each host has been waited for, and when others were asked about it last. */
  #silent = new Map<string, { readonly since: number; asked: number }>();
  #told = '';
  #predecessorsAskedMs = -Infinity;
  #problem = '';
  #pause = FIRST_PAUSE_MS;
  #wake = new AbortController();

  constructor(options: ReclaimLoopOptions) {
    this.#options = options;
    const { writer, rate, isSound } = options;
    this.#reclaim = new Reclaim({ writer, rate, isSound, signal: this.#stopping.signal });
    this.#running = this.#run();
  }

  get state(): ReclaimState {
    const progress = this.#reclaim.progress;
    return { scrubbingBytes: progress?.bytes ?? 0, scrubbedBytes: progress?.done ?? 0, waitsFor: [...this.#silent.keys()].sort() };
  }

  /** Something was deleted. */
  wake(): void {
    this.#pause = FIRST_PAUSE_MS;
    this.#wake.abort();
  }

  /** Ends it, between two steps. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { writer, log, pool } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted && !writer.lost) {
      this.#wake = new AbortController();
      try {
        await this.#pass();
        this.#problem = '';
      } catch (error) {
        if (signal.aborted || (error instanceof FamfsError && error.code === 'CLAIM_LOST')) return; // whoever owns the writer notices
        const problem = (error as Error).message;
        if (problem !== this.#problem) log.warn('memory not given back', { pool, problem });
        this.#problem = problem;
      }
      await delay(this.#pause, undefined, { signal: AbortSignal.any([signal, this.#wake.signal]), ref: false }).catch(() => undefined);
      this.#pause = Math.min(this.#pause * 2, LAST_PAUSE_MS);
    }
  }

  async #pass(): Promise<void> {
    const { writer, log, pool, isSound } = this.#options;
    if (!isSound()) return;
    await this.#askAboutPredecessors();
    const freed = await this.#reclaim.run(() => this.#oldest());
    if (freed > 0) {
      log.info('memory given back', { pool, bytes: freed });
      this.#pause = FIRST_PAUSE_MS;
    }
    if (writer.quarantined.length === 0) this.#silent.clear();
    this.#tell();
  }

  /** Former writers keep the heartbeat at work, and memory from others: others may know that they are stopped. */
  async #askAboutPredecessors(): Promise<void> {
    const { writer, hosts, log, pool } = this.#options;
    if (performance.now() - this.#predecessorsAskedMs < LAST_PAUSE_MS) return;
    this.#predecessorsAskedMs = performance.now();
    for (const { head: { holder, bootId } } of writer.predecessors.maybeRunning) {
      const why = await this.#unlessStopped(hosts.whyGone(hostOf(holder), bootId));
      if (why === undefined) continue;
      log.info('a former writer is stopped', { pool, holder, why });
      writer.markStopped(holder);
    }
  }

  /** An API server that does not answer must not hold up the end of a controller. */
  #unlessStopped<T>(answer: Promise<T>): Promise<T> {
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const stop = () => reject(new Error('the controller ends'));
    signal.addEventListener('abort', stop, { once: true });
    return Promise.race([answer, stopped]).finally(() => signal.removeEventListener('abort', stop));
  }

  /** What the member has acknowledged that has acknowledged least; undefined where there is none. */
  async #oldest(): Promise<bigint | undefined> {
    const { members, writer, log, pool } = this.#options;
    const newest = writer.quarantined.reduce((target, entry) => (entry.target > target ? entry.target : target), 0n);
    let oldest: bigint | undefined;
    const silent = new Map<string, { since: number; asked: number }>();
    for (const member of await this.#unlessStopped(members.list(writer.pool.uuid))) {
      const acknowledged = acknowledgedBy(member, writer.change);
      if (acknowledged < newest) {
        const before = this.#silent.get(member.host) ?? { since: performance.now(), asked: performance.now() };
        const why = await this.#whyGone(member, before);
        if (why !== undefined && await this.#unlessStopped(members.release(member))) {
          log.warn('a member holds nothing any more', { pool, host: member.host, why });
          continue;
        }
        silent.set(member.host, before);
      }
      if (oldest === undefined || acknowledged < oldest) oldest = acknowledged;
    }
    this.#silent = silent;
    return oldest;
  }

  async #whyGone({ host, bootId }: Member, silence: { asked: number }): Promise<string | undefined> {
    if (performance.now() - silence.asked < SILENCE_MS) return undefined;
    silence.asked = performance.now();
    return this.#unlessStopped(this.#options.hosts.whyGone(host, bootId));
  }

  /** Says whom memory has waited for a long time, when that changes. */
  #tell(): void {
    const { notices, pool, writer } = this.#options;
    const held = [...this.#silent].filter(([, { since }]) => performance.now() - since > HELD_MS).map(([host]) => host).sort();
    const who = held.join(', ');
    if (who === this.#told) return;
    this.#told = who;
    if (held.length === 0) {
      notices.pool({ pool, severity: 'normal', reason: 'PoolMemoryReturns', message: 'every host has let go of what was deleted' });
      return;
    }
    const bytes = formatBytes(writer.pool.usage().quarantinedBytes);
    notices.pool({
      pool, severity: 'warning', reason: 'PoolMemoryHeld',
      message: `${bytes} of deleted volumes wait for ${who}, which may have them mapped and does not answer; if it is off for good, ` +
        'taint the node with node.kubernetes.io/out-of-service or run "famfs-csi evict"',
    });
  }
}

/** A word that this writer has not told means nothing, whoever has stored it. */
function acknowledgedBy({ acknowledged }: Member, told: bigint): bigint {
  const word = acknowledged !== undefined && /^\d{1,20}$/.test(acknowledged) ? BigInt(acknowledged) : 0n;
  return word > told ? 0n : word;
}

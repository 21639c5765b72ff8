import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'winston';
import { messageOf } from '../famfs/errors.ts';
import type { Health } from '../metrics/health.ts';
import type { DataPlane } from './data-plane.ts';

const FIRST_POLL_MS = 200;
const POLL_MS = 2000;

/** The part of a node's health that this file sets. */
const PART = 'data plane';

/** What a node plugin's view of its pools needs. */
export interface HostPoolsOptions {
  readonly plane: Pick<DataPlane, 'pools'>;
  readonly health: Health;
  readonly log: Logger;
  /** How often to look for a change. */
  readonly pollMs?: number;
}

/**
 * The pools of this host, as its data plane answers them. The cluster reads them when it likes; when they
 * have changed since, it has to be made to read them again.
 */
export class HostPools {
  readonly #options: HostPoolsOptions;
  readonly #stopping = new AbortController();
  /** The last answer of the data plane. */
  #known: readonly string[] = [];
  /** What the cluster has read last. */
  #reported: string | undefined;
  #watching: Promise<void> = Promise.resolve();

  constructor(options: HostPoolsOptions) {
    this.#options = options;
    options.health.set(PART, 'it has not been asked yet');
  }

  /**
   * Waits until the data plane has a pool, or, where volumes are staged that somebody has to unstage,
   * until it answers. A host without a pool is no fault, and holds up no roll-out: nobody sends it a
   * volume. Rejects when `signal` aborts.
   */
  async waitForFirst(isStaged: () => Promise<boolean>, signal: AbortSignal): Promise<readonly string[]> {
    for (let logged = ''; ; ) {
      const answer = await this.#look();
      if (answer !== undefined && (answer.length > 0 || await isStaged())) return answer;
      const reason = answer === undefined ? 'it does not answer' : 'it has no pool that can be used';
      if (reason !== logged) this.#options.log.info('waiting for a pool', { reason });
      logged = reason;
      await delay(FIRST_POLL_MS, undefined, { signal });
    }
  }

  /** For the cluster to read: the pools now, or those known last while the data plane is away. */
  async report(): Promise<readonly string[]> {
    const pools = await this.#look() ?? this.#known;
    this.#reported = pools.join();
    return pools;
  }

  /** From now on calls back when the pools are not those that were reported, by two looks in a row: one proves nothing. */
  watch(changed: (pools: readonly string[]) => Promise<void>): void {
    this.#watching = this.#watch(changed);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(changed: (pools: readonly string[]) => Promise<void>): Promise<void> {
    const { log, pollMs = POLL_MS } = this.#options;
    const { signal } = this.#stopping;
    let before = this.#reported;
    for (;;) {
      await delay(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const pools = await this.#look();
      const now = pools?.join();
      if (pools !== undefined && now !== this.#reported && now === before) {
        log.info('pools of this host have changed', { pools });
        this.#reported = now;
        await changed(pools).catch((error: Error) => {
          log.error('changed pools not told', { reason: error.message });
          this.#reported = undefined; // again, then
        });
      }
      before = now;
    }
  }

  /** Asks the data plane; undefined while it is away. */
  async #look(): Promise<readonly string[] | undefined> {
    const { plane, health } = this.#options;
    try {
      this.#known = await plane.pools();
      health.set(PART, undefined);
      return this.#known;
    } catch (error) {
      health.set(PART, `it does not answer: ${messageOf(error)}`);
      return undefined;
    }
  }
}

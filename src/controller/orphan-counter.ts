import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'winston';
import { FamfsError, messageOf } from '../famfs/errors.ts';
import type { Pool } from '../famfs/pool/pool.ts';
import type { PersistentVolumes } from '../state/interfaces.ts';
import { findOrphans } from './layout/orphans.ts';
import type { ControllerPools } from './pools/pools.ts';

/** Nothing that a person has to see within minutes, and a list of all PersistentVolumes. */
const EVERY_MS = 600_000;
/** The first time, when the pools' claims are held. */
const FIRST_MS = 30_000;

/** Counts, seldom, the volumes of each pool that no PersistentVolume names. Deletes nothing. */
export class OrphanCounter {
  readonly #pools: Pick<ControllerPools, 'all'>;
  readonly #volumes: PersistentVolumes;
  readonly #log: Logger;
  readonly #counts = new Map<string, number>();

  constructor(pools: Pick<ControllerPools, 'all'>, volumes: PersistentVolumes, log: Logger) {
    this.#pools = pools;
    this.#volumes = volumes;
    this.#log = log;
  }

  /** By the last count; undefined where a pool was not counted yet. */
  countOf(pool: string): number | undefined {
    return this.#counts.get(pool);
  }

  /** Counts until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    for (let pause = FIRST_MS; ; pause = EVERY_MS) {
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.count().catch((error: unknown) => void this.#log.warn('volumes without PersistentVolume were not counted', { reason: messageOf(error) }));
    }
  }

  /** Counts once. A pool that cannot be read keeps its count. Throws where the list cannot be had. */
  async count(): Promise<void> {
    const handles = await this.#volumes.handles();
    for (const pool of this.#pools.all) {
      const { name } = pool.spec;
      const length = pool.isReadable ? await countIn(pool.view, handles) : undefined;
      if (length === undefined) continue;
      if (length !== (this.#counts.get(name) ?? 0)) {
        this.#log.info('volumes without PersistentVolume: "famfs-csi orphans" names them', { pool: name, count: length });
      }
      this.#counts.set(name, length);
    }
  }
}

/** Undefined where the pool was lost meanwhile. */
async function countIn(pool: Pool, handles: readonly string[]): Promise<number | undefined> {
  try {
    return (await findOrphans(pool, handles)).length;
  } catch (error) {
    if (error instanceof FamfsError) return undefined;
    throw error;
  }
}

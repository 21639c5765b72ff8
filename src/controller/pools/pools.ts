import { setTimeout as delay } from 'node:timers/promises';
import { refuse } from '../../csi/errors.ts';
import type { PoolConfig } from '../../csi/pool-config.ts';
import type { Pool } from '../../famfs/pool/pool.ts';
import { ManagedPool } from './managed-pool.ts';
import type { PoolOptions } from './pool-options.ts';

/** How long the start waits for claims that are to be had at once, so that the first call finds them. */
const START_MS = 3_000;

/** The pools of one controller. Each stands for itself: one that is unavailable keeps no other from working. */
export class ControllerPools {
  readonly all: readonly ManagedPool[];

  constructor(specs: readonly PoolConfig[], options: Omit<PoolOptions, 'admit'>) {
    const admit = (spec: PoolConfig, pool: Pool) => this.#objection(spec, pool);
    this.all = specs.map((spec) => new ManagedPool(spec, { ...options, admit }));
  }

  async start(): Promise<void> {
    const attempts = Promise.all(this.all.map((pool) => pool.start()));
    await Promise.race([attempts, delay(START_MS, undefined, { ref: false })]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((pool) => pool.stop()));
  }

  /** The pool a class means by its name or UUID; a class may leave it out where there is one only. */
  select(wanted: string | undefined): ManagedPool {
    const known = this.all.map((pool) => pool.spec.name).join(', ');
    if (wanted === undefined) {
      if (this.all.length === 1) return this.all[0]!;
      throw refuse.invalid(`parameter pool is required, as there are several: ${known}`);
    }
    const found = this.all.find((pool) => pool.spec.name === wanted || pool.uuid === wanted);
    if (found === undefined) throw refuse.invalid(`parameter pool: there is no pool ${JSON.stringify(wanted)}; known are ${known}`);
    return found;
  }

  /**
   * The pool of a volume handle, or undefined where it is none of ours. Throws UNAVAILABLE while a
   * pool whose UUID we could not read yet might be the one: "unknown" would make the caller forget a volume.
   */
  byUuid(uuid: string): ManagedPool | undefined {
    const found = this.all.find((pool) => pool.uuid === uuid);
    if (found !== undefined) return found;
    const unread = this.all.find((pool) => pool.uuid === undefined);
    if (unread !== undefined) throw unread.unavailable();
    return undefined;
  }

  #objection(spec: PoolConfig, { uuid, memory: { path } }: Pool): string | undefined {
    const twin = this.all.find((other) => other.spec !== spec && other.uuid === uuid);
    return twin && `${path} has the same file system UUID ${uuid} as pool ${twin.spec.name} (${twin.device}): configure one of them`;
  }
}

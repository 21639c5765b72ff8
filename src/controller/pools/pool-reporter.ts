import { FamfsError } from '../../famfs/errors.ts';
import type { Pool } from '../../famfs/pool/pool.ts';
import type { PoolHealth } from '../../metrics/controller-metrics.ts';
import type { Notices } from '../../state/interfaces.ts';
import { SLOTS_PER_VOLUME } from '../layout/volume-layout.ts';

const notices: Readonly<Record<Exclude<PoolHealth, 'ok'>, string>> = {
  unavailable: 'PoolUnavailable',
  damaged: 'PoolDamaged',
  foreign: 'PoolForeignWriter',
};

/** Shares of the slots from which on people are told. */
const SLOT_LEVELS = [
  { share: 0.95, reason: 'PoolSlotsNearlyUsedUp' },
  { share: 0.8, reason: 'PoolSlotsRunningLow' },
] as const;

/** Tells what becomes of one pool, each change once. */
export class PoolReporter {
  readonly #pool: string;
  readonly #notices: Notices;
  #health: PoolHealth = 'ok';
  #reason = '';
  #slotLevel = 0;
  #keptTold = false;

  constructor(pool: string, to: Notices) {
    this.#pool = pool;
    this.#notices = to;
  }

  get health(): PoolHealth {
    return this.#health;
  }

  /** The pool cannot be used, or not fully. */
  broken(health: Exclude<PoolHealth, 'ok'>, message: string): void {
    if (this.#health === health && this.#reason === message) return;
    this.#health = health;
    this.#reason = message;
    this.#notices.pool({ pool: this.#pool, severity: 'warning', reason: notices[health], message });
  }

  /** The pool works, perhaps again. */
  well(): void {
    if (this.#health === 'ok') return;
    this.#health = 'ok';
    this.#notices.pool({ pool: this.#pool, severity: 'normal', reason: 'PoolAvailable', message: 'it takes new volumes again' });
  }

  /** Bytes of deleted volumes that stay where they are, as hosts mount the pool with tools that acknowledge nothing. */
  kept(bytes: number): void {
    if (bytes > 0 && !this.#keptTold) {
      this.#notices.pool({
        pool: this.#pool, severity: 'warning', reason: 'PoolMemoryKept',
        message: 'memory of deleted volumes stays in quarantine, as referenceClients says that hosts mount this pool with the reference tools',
      });
    }
    this.#keptTold = bytes > 0;
  }

  /** How many of the log's slots are used. */
  slots(used: number, total: number): void {
    const level = SLOT_LEVELS.find(({ share }) => used >= share * total);
    const share = level?.share ?? 0;
    const isHigher = share > this.#slotLevel;
    this.#slotLevel = share;
    if (level === undefined || !isHigher) return;
    const left = Math.floor((total - used) / SLOTS_PER_VOLUME);
    this.#notices.pool({
      pool: this.#pool, severity: 'warning', reason: level.reason,
      message: `${used} of the log's ${total} slots are used (${Math.floor(used / total * 100)} %): ${left} more volumes can be made here, ` +
        'as slots of deleted ones do not come back; plan a pool with a larger log',
    });
  }
}

/** What a failure says of a pool's health. */
export function healthIn(error: unknown, pool: Pool | undefined, clusterUuid: string): Exclude<PoolHealth, 'ok'> {
  const code = error instanceof FamfsError ? error.code : undefined;
  if (code === 'DAMAGED') return 'damaged';
  if (code === 'FOREIGN') return 'foreign';
  const isContested = code === 'CLAIMED' || code === 'CLAIM_LOST';
  const ruler = isContested && pool !== undefined && !pool.memory.closed ? pool.replayer.ring.ruling() : undefined;
  return ruler !== undefined && ruler.head.clusterUuid !== clusterUuid.toLowerCase() ? 'foreign' : 'unavailable';
}

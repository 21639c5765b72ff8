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

/** Shares of used slots from which on there is a notice. */
const SLOT_LEVELS = [
  { share: 0.95, reason: 'PoolSlotsNearlyUsedUp' },
  { share: 0.8, reason: 'PoolSlotsRunningLow' },
] as const;

/**
 * Changes of health that are reported at once; then one each minute. Whoever can write to a pool's memory can make a
 * change each second.
 */
const CHANGES_AT_ONCE = 20;
const CHANGE_EVERY_MS = 60_000;

/**
 * The notices about one pool: each change is reported once, however often it is seen. Where changes come too often, some are
 * left out, and the last one is reported when it is seen again.
 */
export class PoolReporter {
  readonly #pool: string;
  readonly #notices: Notices;
  readonly #clock: () => number;
  #health: PoolHealth = 'ok';
  /** What was reported last, and how many changes may be reported now, by the time of the last count. */
  #reported: { readonly health: PoolHealth; readonly reason: string } = { health: 'ok', reason: '' };
  #allowed = CHANGES_AT_ONCE;
  #countedAt: number;
  #slotLevel = 0;
  #hasReportedKept = false;

  constructor(pool: string, to: Notices, clock: () => number = () => performance.now()) {
    this.#pool = pool;
    this.#notices = to;
    this.#clock = clock;
    this.#countedAt = clock();
  }

  get health(): PoolHealth {
    return this.#health;
  }

  /** The pool cannot be used, or not fully. */
  reportProblem(health: Exclude<PoolHealth, 'ok'>, message: string): void {
    this.#health = health;
    if (this.#isNews(health, message)) {
      this.#notices.pool({ pool: this.#pool, severity: 'warning', reason: notices[health], message });
    }
  }

  /** The pool can be used; that is a notice where it could not before. */
  reportAvailable(): void {
    this.#health = 'ok';
    if (this.#isNews('ok', '')) {
      this.#notices.pool({ pool: this.#pool, severity: 'normal', reason: 'PoolAvailable', message: 'it takes new volumes again' });
    }
  }

  /** So many bytes of deleted volumes stay in quarantine, as hosts mount the pool with tools that acknowledge nothing. */
  reportKept(bytes: number): void {
    if (bytes > 0 && !this.#hasReportedKept) {
      this.#notices.pool({
        pool: this.#pool, severity: 'warning', reason: 'PoolMemoryKept',
        message: 'memory of deleted volumes stays in quarantine, as referenceClients says that hosts mount this pool with the reference tools',
      });
    }
    this.#hasReportedKept = bytes > 0;
  }

  /** So many of the log's slots are used. */
  reportSlots(used: number, total: number): void {
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

  /** Whether this is another thing than was reported last, and may be reported now; then it counts as reported. */
  #isNews(health: PoolHealth, reason: string): boolean {
    if (this.#reported.health === health && this.#reported.reason === reason) return false;
    const now = this.#clock();
    this.#allowed = Math.min(CHANGES_AT_ONCE, this.#allowed + (now - this.#countedAt) / CHANGE_EVERY_MS);
    this.#countedAt = now;
    if (this.#allowed < 1) return false;
    this.#allowed--;
    this.#reported = { health, reason };
    return true;
  }
}

/** The health of a pool with which this went wrong. */
export function healthAfter(error: unknown, pool: Pool | undefined, clusterUuid: string): Exclude<PoolHealth, 'ok'> {
  const code = error instanceof FamfsError ? error.code : undefined;
  if (code === 'DAMAGED') return 'damaged';
  if (code === 'FOREIGN') return 'foreign';
  const isContested = code === 'CLAIMED' || code === 'CLAIM_LOST';
  const ruler = isContested && pool !== undefined && !pool.memory.closed ? pool.replayer.ring.ruling() : undefined;
  return ruler !== undefined && ruler.head.clusterUuid !== clusterUuid.toLowerCase() ? 'foreign' : 'unavailable';
}

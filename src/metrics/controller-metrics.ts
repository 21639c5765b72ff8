import { Counter, Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';

/**
 * What a pool is to its controller: `foreign` is claimed by a writer of another cluster, `damaged`
 * takes no new volumes, `unavailable` is anything else that keeps its claim from us.
 */
export const POOL_HEALTH = ['ok', 'unavailable', 'damaged', 'foreign'] as const;
export type PoolHealth = (typeof POOL_HEALTH)[number];

/** What a controller tells of one pool. `usage` is missing while the pool cannot be read. */
export interface PoolFigures {
  /** The pool's name in the configuration. */
  readonly pool: string;
  readonly health: PoolHealth;
  readonly usage?: {
    readonly usedBytes: number;
    readonly freeBytes: number;
    readonly quarantinedBytes: number;
    readonly largestAllocatableBytes: number;
    readonly slotsUsed: number;
    readonly slotsTotal: number;
  };
  /** Free memory that was found not zero, or freed by another hand, since this controller took over. */
  readonly taintedBytes?: number;
  /** Volumes that no PersistentVolume names; missing until they were counted, and without Kubernetes. */
  readonly orphans?: number;
  /** What becomes of deleted memory; missing while nothing can. */
  readonly reclaim?: {
    readonly scrubbingBytes: number;
    readonly scrubbedBytes: number;
    readonly waitsFor: readonly string[];
  };
}

/**
 * Adds the metrics of a controller. `figures` is asked at each scrape and answers undefined while
 * this process is not the leader: then it is another one that tells of the pools.
 */
export function addControllerMetrics(metrics: Metrics, figures: () => readonly PoolFigures[] | undefined): void {
  const registers = [metrics.registry];
  const leader = new Gauge({ name: 'famfs_leader', help: '1 on the controller that holds the lease', registers });
  const bytes = new Gauge({
    name: 'famfs_pool_bytes', labelNames: ['pool', 'state'], registers,
    help: 'Memory of a pool: used + free + quarantined is all of it; scrubbing: the part of quarantined that is being zeroed, scrubbed: of that, what is done; largest_allocatable: the largest volume there is room for',
  });
  const slots = new Gauge({
    name: 'famfs_pool_slots', labelNames: ['pool', 'state'], registers,
    help: 'Log entries of a pool: used of total; they do not come back while the pool is in use',
  });
  const health = new Gauge({
    name: 'famfs_pool_health', labelNames: ['pool', 'state'], registers,
    help: '1 for the state that a pool is in: ok, unavailable, damaged or foreign',
  });
  const waits = new Gauge({
    name: 'famfs_pool_waits_for_host', labelNames: ['pool', 'host'], registers,
    help: '1 for each host that has not let go of deleted volumes: their memory is quarantined until it has',
  });
  const tainted = new Counter({
    name: 'famfs_pool_tainted_bytes_total', labelNames: ['pool'], registers,
    help: 'Free memory that was not zero, or was freed by another hand than the controller\'s: scrubbed before it is used',
  });
  const orphaned = new Gauge({
    name: 'famfs_pool_orphaned_volumes', labelNames: ['pool'], registers,
    help: 'Volumes of a pool, older than ten minutes, that no PersistentVolume names; counted every ten minutes',
  });
  metrics.onScrape(() => {
    const pools = figures();
    leader.set(pools === undefined ? 0 : 1);
    for (const metric of [bytes, slots, health, waits, tainted, orphaned]) metric.reset();
    for (const { pool, health: state, usage, reclaim, taintedBytes, orphans } of pools ?? []) {
      if (taintedBytes !== undefined) tainted.inc({ pool }, taintedBytes);
      if (orphans !== undefined) orphaned.set({ pool }, orphans);
      for (const one of POOL_HEALTH) health.set({ pool, state: one }, one === state ? 1 : 0);
      for (const host of reclaim?.waitsFor ?? []) waits.set({ pool, host }, 1);
      if (usage === undefined) continue;
      bytes.set({ pool, state: 'used' }, usage.usedBytes);
      bytes.set({ pool, state: 'free' }, usage.freeBytes);
      bytes.set({ pool, state: 'quarantined' }, usage.quarantinedBytes);
      bytes.set({ pool, state: 'scrubbing' }, reclaim?.scrubbingBytes ?? 0);
      bytes.set({ pool, state: 'scrubbed' }, reclaim?.scrubbedBytes ?? 0);
      bytes.set({ pool, state: 'largest_allocatable' }, usage.largestAllocatableBytes);
      slots.set({ pool, state: 'used' }, usage.slotsUsed);
      slots.set({ pool, state: 'total' }, usage.slotsTotal);
    }
  });
}

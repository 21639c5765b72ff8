import type { Topology } from '../generated/csi/v1/Topology.ts';

/**
 * The topology segments of a host, or of a volume: one key per pool, because a host may have
 * several pools and Kubernetes allows a key one value only.
 */
export function poolTopology(driver: string, poolUuids: readonly string[]): { segments: Record<string, string> } {
  return { segments: Object.fromEntries(poolUuids.map((uuid) => [poolKey(driver, uuid), 'true'])) };
}

/** Whether a place described by these segments reaches the pool. */
export function reachesPool(topology: Topology, driver: string, poolUuid: string): boolean {
  return topology.segments?.[poolKey(driver, poolUuid)] === 'true';
}

function poolKey(driver: string, poolUuid: string): string {
  return `${driver}/pool-${poolUuid}`;
}

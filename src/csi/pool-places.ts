/*
 * Which device a name of the configuration means. Device names are hints: at a boot, two devices may be given each
 * other's. So a pool that has a UUID is looked for on all configured devices, and the others get what is left.
 *
 * Example: p0 (/dev/dax0.0) is the famfs A; p1 (/dev/dax1.0) is new. After a boot A is found on dax1.0, and dax0.0 is
 * empty. So p0 is on dax1.0. The device that p1 names is taken, by p0: p1 is where p0 would have been, on dax0.0.
 */

/** A name of the configuration. */
export interface NamedPool {
  readonly name: string;
  readonly device: string;
  /** The file system that it is, where that is known. */
  readonly uuid?: string;
}

/** By configured device, the UUID of the file system on it; devices without one, or that cannot be read, are left out. */
export type FoundPools = ReadonlyMap<string, string>;

/** The configured device that a pool is on; where its UUID is not found, or not known, the one that is left for it. */
export function deviceOfPool<Pool extends NamedPool>(pool: Pool, pools: readonly Pool[], found: FoundPools): string {
  if (pool.uuid !== undefined && found.get(pool.device) !== pool.uuid) {
    for (const [device, uuid] of found) if (uuid === pool.uuid) return device;
  }
  const seen = new Set<string>();
  for (let device = pool.device; !seen.has(device);) {
    const owner = ownerOf(found.get(device), pools);
    if (owner === undefined || owner === pool) return device;
    seen.add(device);
    device = owner.device;
  }
  return pool.device; // two devices have one UUID: whoever opens this one finds that out
}

/** The name that has this file system. */
export function ownerOf<Pool extends NamedPool>(uuid: string | undefined, pools: readonly Pool[]): Pool | undefined {
  return uuid === undefined ? undefined : pools.find((pool) => pool.uuid === uuid);
}

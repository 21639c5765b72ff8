import { sourceOf } from '../../famfs/pool/pool-source.ts';
import { Pool } from '../../famfs/pool/pool.ts';

/**
 * Pools that a controller has opened while it only waits for the lease. A replay takes a second for a
 * million entries, in which no lease could be renewed; what the log has gained since takes no time.
 */
export class OpenedPools {
  readonly #pools = new Map<string, Pool>();

  /** Opens what can be opened; why another one cannot, its owner will find out. */
  constructor(devices: readonly string[]) {
    for (const device of devices) {
      try {
        this.#pools.set(device, Pool.open(sourceOf(device), { writable: true }));
      } catch {
        continue;
      }
    }
  }

  /** Hands a pool over, as it is now: once. Undefined where it was not opened, or is no longer what it was. */
  take(device: string): Pool | undefined {
    const pool = this.#pools.get(device);
    this.#pools.delete(device);
    try {
      pool?.refresh();
      return pool;
    } catch {
      pool!.close();
      return undefined;
    }
  }

  /** Closes those that nobody took. */
  close(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }
}

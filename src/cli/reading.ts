import { sourceOf } from '../famfs/pool/pool-source.ts';
import { Pool } from '../famfs/pool/pool.ts';

/** Opens a pool to read. */
export function withPool<T>(device: string, work: (pool: Pool) => T): T {
  const pool = Pool.open(sourceOf(device), { writable: false });
  try {
    return work(pool);
  } finally {
    pool.close();
  }
}

/** A path as people write it: a slash in front means the pool's root. */
export function poolPath(text: string): string {
  return text.replace(/^\/+/, '').replace(/\/+$/, '');
}

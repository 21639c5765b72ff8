import { freeRuns } from '../alloc/free-runs.ts';
import { deviceEnd } from '../device/pool-memory.ts';
import { collidingWith, type Rejected } from '../log/rejected.ts';
import type { Pool } from '../pool/pool.ts';

/**
 * The refused entries that collide with a file or directory which is about to go. A fresh replay would accept them
 * once it is gone, while a reader that follows has refused them: the two would see different trees. So they go first.
 */
export function collisionsOf({ replayer, view }: Pool, node: number, path: string): Rejected[] {
  return collidingWith(replayer.rejected, path, view.extents(node));
}

/** Zeroes the memory of a refused entry that is its alone. Its entry has to be named in the claim. */
export function zeroOwnMemory({ replayer, memory }: Pool, { extents }: Rejected): void {
  for (const { start, end } of extents) {
    const area = { start, end: Math.min(end, deviceEnd(memory, start)) };
    for (const own of freeRuns(replayer.memory, [], [area])) memory.zero(own.start, own.end - own.start);
  }
}

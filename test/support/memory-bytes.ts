import type { Run } from '../../src/famfs/alloc/free-runs.ts';
import type { PoolMemory } from '../../src/famfs/device/pool-memory.ts';

/** A copy of what a range of a pool's memory holds. */
export function bytesAt(memory: Pick<PoolMemory, 'read'>, { start, end }: Run): Buffer {
  const bytes = Buffer.alloc(end - start);
  memory.read(start, bytes);
  return bytes;
}

/** Fills ranges of a pool's memory with one byte, as an application would. */
export function fillRanges(memory: Pick<PoolMemory, 'write'>, ranges: readonly Run[], byte: number): void {
  for (const { start, end } of ranges) memory.write(start, Buffer.alloc(end - start, byte));
}

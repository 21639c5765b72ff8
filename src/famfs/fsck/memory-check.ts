import type { Run } from '../alloc/free-runs.ts';
import { describeRange, deviceOf } from '../device/pool-address.ts';
import type { PoolMemory } from '../device/pool-memory.ts';
import { indexOf } from '../index/index-store.ts';
import type { Problem } from '../log/problem.ts';
import type { Pool } from '../pool/pool.ts';

const PAGE = 4096;

/**
 * The parts of files whose memory this host cannot read, as its kernel says: failed or vanished memory,
 * or a simulated device without room. Nothing is read; each page of each file is faulted in.
 */
export function* memoryProblems(pool: Pool): Generator<Problem> {
  for (const { node, path, size, kind } of pool.walk()) {
    if (kind === 'directory') continue;
    let at = 0; // in the file
    for (const range of pool.view.ranges(node, 0, size)) {
      for (const bad of unreadable(pool.memory, range)) {
        const { device, offset, length } = describeRange(bad);
        const where = device === undefined ? 'the device' : `device ${device}`;
        const reason = `${length} bytes at ${at + bad.start - range.start} of the file, at ${offset} of ${where}, cannot be read on this host`;
        yield { place: 'memory', index: indexOf(node), path, reason, severity: 'damage' };
      }
      at += range.end - range.start;
    }
  }
}

/** Halves what cannot be read as a whole, down to the alignment of its device. */
function unreadable(memory: PoolMemory, { start, end }: Run): Run[] {
  if (memory.isReadable(start, end - start)) return [];
  const step = Math.max(memory.devices[deviceOf(start)].alignment, PAGE);
  const middle = Math.floor((start + (end - start) / 2) / step) * step;
  if (middle <= start) return [{ start, end }];
  const [lower, upper] = [unreadable(memory, { start, end: middle }), unreadable(memory, { start: middle, end })];
  const [last, first] = [lower.at(-1), upper[0]];
  if (last === undefined || first === undefined || last.end !== first.start) return [...lower, ...upper];
  return [...lower.slice(0, -1), { start: last.start, end: first.end }, ...upper.slice(1)];
}

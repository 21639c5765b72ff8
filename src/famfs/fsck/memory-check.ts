import type { DeviceHandle } from '../device/device.ts';
import { isReadable } from '../device/populated.ts';
import { indexOf } from '../index/index-store.ts';
import type { Problem } from '../log/problem.ts';
import type { Pool } from '../pool/pool.ts';

const PAGE = 4096;

/** Bytes [start, end) of a device. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The parts of files whose memory this host cannot read, as its kernel says: failed or vanished memory,
 * or a simulated device without room. Nothing is read; each page of each file is faulted in.
 */
export function* memoryProblems(pool: Pool): Generator<Problem> {
  const device = pool.device.handle();
  for (const { node, path, size, kind } of pool.walk()) {
    if (kind === 'directory') continue;
    let at = 0; // in the file
    for (const { byteOffset, length } of pool.view.windows(node, 0, size)) {
      for (const { start, end } of unreadable(device, { start: byteOffset, end: byteOffset + length })) {
        const reason = `${end - start} bytes at ${at + start - byteOffset} of the file, at ${start} of the device, cannot be read on this host`;
        yield { place: 'memory', index: indexOf(node), path, reason, severity: 'damage' };
      }
      at += length;
    }
  }
}

/** Halves what cannot be read as a whole, down to what the device is mapped in. */
function unreadable(device: DeviceHandle, { start, end }: Range): Range[] {
  if (isReadable(device, { byteOffset: start, length: end - start })) return [];
  const step = Math.max(device.alignment, PAGE);
  const middle = Math.floor((start + end) / 2 / step) * step;
  if (middle <= start) return [{ start, end }];
  const [lower, upper] = [unreadable(device, { start, end: middle }), unreadable(device, { start: middle, end })];
  const [last, first] = [lower.at(-1), upper[0]];
  if (last === undefined || first === undefined || last.end !== first.start) return [...lower, ...upper];
  return [...lower.slice(0, -1), { start: last.start, end: first.end }, ...upper.slice(1)];
}

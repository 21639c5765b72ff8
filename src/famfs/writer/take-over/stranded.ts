import { entryOffset } from '../../format/log-header.ts';
import { describeBadEntry, LogScanner } from '../../log/log-scanner.ts';
import type { Problem } from '../../log/problem.ts';
import type { Replayer } from '../../log/replayer.ts';
import { BATCH_MAX } from '../claim/log-appender.ts';

/** How far behind the end it is worth to look: entries that follow a broken one stand right behind it. */
const SLOTS = 4096;

/**
 * A valid entry that stands behind the end of a log. A batch that was cut short leaves some in the
 * next few slots; one further on tells that the log went on once: what is missing between was written
 * over, and the counters with it, or a replay would have missed it. Whoever appended there would
 * overwrite entries that other hosts have.
 */
export function strandedEntry(replayer: Replayer): Problem | undefined {
  const { log, capacity } = replayer.geometry;
  const scanner = new LogScanner(log);
  const limit = Math.min(capacity, replayer.end + SLOTS);
  for (let slot = replayer.end + BATCH_MAX; slot < limit; slot++) {
    if (log.load32(entryOffset(slot)) !== slot || scanner.read(slot, 1) === 0) continue;
    replayer.catchUp(true); // it may have grown meanwhile
    const { end } = replayer;
    if (slot < end + BATCH_MAX) continue;
    return { place: 'log entry', index: end, severity: 'damage', reason: `${describeBadEntry(log, end)}; entry ${slot} behind it is valid` };
  }
  return undefined;
}

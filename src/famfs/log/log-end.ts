import type { Geometry, LogCounters } from './geometry.ts';
import { describeBadEntry } from './log-scanner.ts';
import type { Problem } from './problem.ts';

/**
 * What is wrong with the end of a log, as a replay found it. A torn entry and a corrupt one look alike:
 * the bytes of a slot do not make a valid entry. What tells them apart is the log's own counter, which a
 * writer stores only after the entries that it counts:
 *
 * | the first slot without a valid entry | what it is | what follows |
 * |---|---|---|
 * | is the one that next_index names, or a later one | free; or *torn*: an append that is under way, or was cut short | nothing is wrong, and the next look tries again |
 * | lies before next_index | *corrupt*: it was valid once, or cannot be seen yet | damage: the replay ends here and the pool takes no new entries; the next look tries again, and a slot that is valid then was merely late |
 * | lies behind next_index | as in the first row: valid entries count, whatever the counter says | a note: a writer ended between its entries and the counter; the next one corrects it |
 *
 * `position` is that slot. Work per look is small: only the counters and that one slot are read.
 */
export function endProblems(position: number, { nextIndex, nextSeqnum }: LogCounters, { log, capacity }: Pick<Geometry, 'log' | 'capacity'>): Problem[] {
  const problems: Problem[] = [];
  const report = (severity: Problem['severity'], reason: string) => problems.push({ place: 'log header', severity, reason });
  if (nextIndex > capacity) report('damage', `next_index is ${nextIndex}; the log has ${capacity} slots`);
  if (position < Math.min(nextIndex, capacity)) problems.push(corruptEntry({ log }, position));
  else if (nextIndex < position) report('note', `next_index is ${nextIndex}; valid entries reach to ${position}`);
  if (nextSeqnum !== nextIndex) report('note', `next_seqnum is ${nextSeqnum}, next_index is ${nextIndex}`);
  return problems;
}

/** Says that the entry in a slot was valid once and is not any more. */
export function corruptEntry({ log }: Pick<Geometry, 'log'>, index: number): Problem {
  return { place: 'log entry', index, severity: 'damage', reason: describeBadEntry(log, index) };
}

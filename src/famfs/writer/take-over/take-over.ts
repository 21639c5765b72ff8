import { FamfsError } from '../../errors.ts';
import { ClaimLayout, SCRUB_POOL, type SlotRange } from '../../format/claim-record.ts';
import { EntryLayout } from '../../format/entry-layout.ts';
import { entryOffset } from '../../format/log-header.ts';
import type { ClaimRecord } from '../../log/claim-ring.ts';
import { listProblem } from '../../log/guards.ts';
import { describeProblem } from '../../log/problem.ts';
import type { Replayer } from '../../log/replayer.ts';
import type { Claim } from '../claim/claim.ts';
import { BATCH_MAX, guardEntry, LogAppender } from '../claim/log-appender.ts';
import { strandedEntry } from './stranded.ts';

/** What a take-over ends with. */
export interface TakenOver {
  readonly appender: LogAppender;
  /** Former writers that may wake up late. */
  readonly maybeRunning: readonly ClaimRecord[];
  /** Entries whose memory one of them may be zeroing. */
  readonly abandoned: readonly number[];
  /** The guards of the list that was written. */
  readonly guards: readonly SlotRange[];
}

/**
 * From a written claim head to the right to append (rule R1 in docs/words.md): judges the predecessors,
 * finds the log's end, and makes sure that nobody reads what a paused predecessor can still store.
 * Throws FamfsError DAMAGED, LOG_FULL, CLAIMED or CLAIM_LOST; nothing was appended then.
 *
 * Why guards are needed, by an example. The log ends at slot 10.
 *
 * 1. Writer A reads the claim, sees that it rules, and is paused before it stores an entry into slot 10.
 * 2. A's lease runs out. Writer B takes over. Nothing in memory says that A is in mid-append.
 * 3. Without guards, B appends its own entry to slot 10 and tells its caller that the volume exists.
 * 4. A wakes up and stores its entry over B's. Only then it reads the claim and stops. B's volume is gone.
 *
 * With guards, B first lists slots 10 to 13 in its claim (as many as one append can fill), and appends from
 * slot 14 on. A's late store hits slot 10, which every reader skips because the list says so.
 *
 * If all predecessors are known to be stopped, there is no late store to fear, and no slot is spent.
 */
export function takeOver(claim: Claim, replayer: Replayer, isStopped: (record: ClaimRecord) => boolean, willScrub: boolean): TakenOver {
  const { ring, geometry } = replayer;
  const predecessors = () => ring.records().filter(({ head }) => head.epoch !== claim.head.epoch);
  const maybeRunning = predecessors().filter((record) => !isStopped(record));
  // Words and lists are read after the judging: who was found stopped stores nothing any more.
  const { capacity } = geometry;
  const scrubbing = predecessors().map((record) => record.scrubbing)
    .filter((word) => word === SCRUB_POOL || (word > 0n && word <= BigInt(capacity)));
  if (scrubbing.includes(SCRUB_POOL) && (maybeRunning.length > 0 || !willScrub)) {
    const why = maybeRunning.length > 0 ? `${maybeRunning[0].head.holder} may still be at it; stop it` : 'it was interrupted; run "famfs-csi adopt" again';
    throw new FamfsError('CLAIMED', `the clearing of the whole pool is not finished: ${why}`);
  }
  replayer.catchUp(true);
  const damage = replayer.problems.find(({ severity }) => severity === 'damage') ?? listProblem(geometry, ring, replayer.list) ?? (willScrub ? undefined : strandedEntry(replayer));
  if (damage !== undefined) throw new FamfsError('DAMAGED', `the log is damaged and takes no new entries: ${describeProblem(damage)}`);
  claim.mustRule();
  const inherited = replayer.list; // the one that the log's end was found with
  const appender = new LogAppender(geometry, claim, replayer.end);
  const abandoned = maybeRunning.length === 0 ? [] : [...new Set([...inherited.abandoned, ...scrubbing.map((word) => Number(word) - 1)])];
  const names = maybeRunning.map(({ head }) => head.holder);
  const guards = names.length === 0 ? startClean(claim, replayer, appender, inherited.guards)
    : startGuarded(claim, appender, { inherited: inherited.guards, abandoned, capacity, maybeRunning: names });
  replayer.catchUp(true);
  return { appender, maybeRunning, abandoned, guards };
}

/** All predecessors are stopped: their guards go, and so does what a batch cut short may have left. */
function startClean(claim: Claim, replayer: Replayer, appender: LogAppender, guards: readonly SlotRange[]): SlotRange[] {
  const { log, capacity } = replayer.geometry;
  appender.restoreGuards(guards);
  const slots = Math.min(BATCH_MAX, capacity - appender.end);
  claim.mustRule(); // one that pauses from here on zeroes what others have guarded: that is what guards are for
  log.zero(entryOffset(appender.end), slots * EntryLayout.size);
  log.fence();
  claim.writeList({ guards: [], abandoned: [] });
  claim.mustRule();
  appender.repairCounters();
  claim.storeChange();
  return [];
}

/** A predecessor may wake up late: it can hit only the next four slots, and those are skipped by all. */
function startGuarded(
  claim: Claim, appender: LogAppender,
  { inherited, abandoned, capacity, maybeRunning }: { inherited: readonly SlotRange[]; abandoned: number[]; capacity: number; maybeRunning: string[] },
): SlotRange[] {
  if (appender.end + BATCH_MAX > capacity) {
    throw new FamfsError('LOG_FULL', `the log has ${capacity - appender.end} slots left; ${BATCH_MAX} are needed to guard against ${maybeRunning.join(', ')}, which may still be running`);
  }
  const guards = mergeRanges([...inherited, { first: appender.end, count: BATCH_MAX }]);
  const slots = guards.reduce((sum, { count }) => sum + count, 0);
  if (guards.length > ClaimLayout.guardsMax || slots > ClaimLayout.guardedSlotsMax || abandoned.length > ClaimLayout.abandonedMax) {
    throw new FamfsError('CLAIMED', `the list of guarded slots is full (${slots} slots in ${guards.length} ranges); stop ${maybeRunning.join(', ')} for good, then take over`);
  }
  claim.writeList({ guards, abandoned });
  claim.mustRule();
  appender.restoreGuards(inherited); // one that died before it wrote them left holes for the reference tools
  const first = appender.end;
  appender.append(Array.from({ length: BATCH_MAX }, (_, k) => guardEntry(first + k)));
  claim.storeChange();
  return guards;
}

/** Ranges in ascending order, neighbours joined. */
export function mergeRanges(ranges: readonly SlotRange[]): SlotRange[] {
  const merged: SlotRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = merged.at(-1);
    if (last !== undefined && range.first <= last.first + last.count) {
      const end = Math.max(last.first + last.count, range.first + range.count);
      merged[merged.length - 1] = { first: last.first, count: end - last.first };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

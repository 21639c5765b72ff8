import type { SlotRange } from '../../format/claim-record.ts';
import { stateOffset } from '../../format/log-header.ts';
import { EntryType, nextWord } from '../../format/state-word.ts';
import { Status } from '../../index/index-store.ts';
import type { Replayer } from '../../log/replayer.ts';
import type { LogAppender } from '../claim/log-appender.ts';

/**
 * Stores again what a predecessor that woke up late has overwritten (rule R4 in docs/words.md): guards,
 * counters, and states that it set back from void to quarantined. States only ever move forward. Our readers
 * do not need this, the reference tools do. Nothing is written at or behind the log's end.
 * `guards` are those that this writer has listed itself: what stands in the list now may be somebody else's.
 * Throws FamfsError CLAIM_LOST.
 */
export function restore({ geometry, view }: Replayer, appender: LogAppender, guards: readonly SlotRange[]): void {
  appender.restoreGuards(guards);
  appender.repairCounters();
  for (let index = 0; index < appender.end; index++) {
    if (view.statusAt(index) !== Status.Void) continue;
    const word = geometry.log.load64(stateOffset(index));
    if (Number(word & 0xffffffffn) === EntryType.Quarantined) appender.storeState(index, nextWord(word, 'void')!);
  }
}

import { EntryLayout } from '../../format/entry-layout.ts';
import { decodeEntry } from '../../format/entry.ts';
import { EntryType } from '../../format/state-word.ts';
import type { ListInForce } from '../../log/claim-ring.ts';
import { LogScanner } from '../../log/log-scanner.ts';
import type { Problem } from '../../log/problem.ts';
import type { Replayer } from '../../log/replayer.ts';
import { BATCH_MAX } from '../claim/log-appender.ts';

/**
 * Live entries in guarded slots, which nobody sees. A predecessor that woke up late may have stored a batch there:
 * four at most, and the writer makes them guards again. More of them tell that the list of guards is a forged one.
 */
export function hiddenEntries({ geometry, list, end }: Replayer): Problem[] {
  const { log } = geometry;
  const scanner = new LogScanner(log);
  const hidden: Problem[] = [];
  for (const { first, count } of list.guards) {
    for (let slot = first; slot < Math.min(first + count, end); slot++) {
      if (scanner.read(slot, 1) === 0) continue;
      const type = scanner.words[EntryLayout.type / 4];
      if (type !== EntryType.File && type !== EntryType.Directory) continue;
      const { body } = decodeEntry(scanner.bytes.subarray(0, EntryLayout.size));
      const path = 'path' in body ? { path: body.path } : {};
      const reason = `live, and hidden by the list of guards of epoch ${list.epoch}: stored by a writer that woke up late, or the list is forged`;
      hidden.push({ place: 'log entry', index: slot, severity: 'reject', reason, ...path });
    }
  }
  return hidden;
}

/**
 * What tells that the list in force is a forged one. A writer that wakes up late stores one batch into guarded slots, and
 * one that ends before it has stored its guards, or zeroes the next slots late, leaves as many of them empty. Whose
 * record has no list has appended nothing: each attempt to take such a pool over leaves one.
 */
export function hidesTooMuch(replayer: Replayer): Problem | undefined {
  const { ring, list } = replayer;
  const records = ring.records();
  const hidden = hiddenEntries(replayer);
  const mostHidden = BATCH_MAX * records.filter(({ head }) => ring.list(head) !== undefined).length;
  if (hidden.length > mostHidden) {
    return forged(list, `hides ${hidden.length} live entries, entry ${hidden[0].index} for one; writers that woke up late have stored ${mostHidden} at most`);
  }
  const empty = emptySlots(replayer);
  const mostEmpty = BATCH_MAX * records.length;
  return empty > mostEmpty ? forged(list, `guards ${empty} slots without a guard; writers that were cut short have left ${mostEmpty} at most`) : undefined;
}

/** Guarded slots without a valid entry. */
function emptySlots({ geometry, list }: Replayer): number {
  const scanner = new LogScanner(geometry.log);
  let empty = 0;
  for (const { first, count } of list.guards) {
    for (let slot = first; slot < first + count; slot++) if (scanner.read(slot, 1) === 0) empty++;
  }
  return empty;
}

function forged({ epoch }: ListInForce, what: string): Problem {
  return { place: 'claim', severity: 'damage', reason: `the list of epoch ${epoch} ${what}: it was forged; "famfs-csi reset-claim" removes it` };
}

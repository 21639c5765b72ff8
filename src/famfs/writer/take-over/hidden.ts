import { EntryLayout } from '../../format/entry-layout.ts';
import { decodeEntry } from '../../format/entry.ts';
import { EntryType } from '../../format/state-word.ts';
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
 * What a list hides that no honest history can: a writer that wakes up late stores one batch into guarded slots. Whose
 * record has no list has never come to store anything: each attempt to take such a pool over leaves one.
 */
export function hidesTooMuch(replayer: Replayer): Problem | undefined {
  const { ring } = replayer;
  const hidden = hiddenEntries(replayer);
  const most = BATCH_MAX * ring.records().filter(({ head }) => ring.list(head) !== undefined).length;
  if (hidden.length <= most) return undefined;
  const reason = `the list of epoch ${replayer.list.epoch} hides ${hidden.length} live entries, entry ${hidden[0].index} for one; writers that woke up late ` +
    `have stored ${most} at most: it was forged; "famfs-csi reset-claim" removes it`;
  return { place: 'claim', severity: 'damage', reason };
}

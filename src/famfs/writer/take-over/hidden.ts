import { EntryLayout } from '../../format/entry-layout.ts';
import { decodeEntry } from '../../format/entry.ts';
import { EntryType } from '../../format/state-word.ts';
import { LogScanner } from '../../log/log-scanner.ts';
import type { Problem } from '../../log/problem.ts';
import type { Replayer } from '../../log/replayer.ts';

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

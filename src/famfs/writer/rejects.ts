import { freeRuns } from '../alloc/free-runs.ts';
import { deviceEnd } from '../device/pool-memory.ts';
import { FamfsError } from '../errors.ts';
import { type Reject, rejectsMeeting } from '../log/entry-memory.ts';
import type { Pool } from '../pool/pool.ts';

/** So many are named in one message. */
const NAMED_MAX = 3;

/** The refused entries that have one of these paths, or memory of a file there. */
export function rejectsAt({ replayer, view }: Pool, paths: readonly string[]): Reject[] {
  return rejectsMeeting(replayer, new Set(paths), paths.flatMap((path) => view.extents(view.resolve(path))));
}

/** Throws FamfsError ALIASED where there are aliases among such entries: they would go with `path`. */
export function refuseAliased(path: string, rejects: readonly Reject[]): void {
  const aliases = rejects.filter(({ isAlias }) => isAlias);
  if (aliases.length === 0) return;
  throw new FamfsError('ALIASED', `${path} shares its memory with what the reference tools show as other files (${nameAliases(aliases)}): ` +
    'they would go with it; "famfs-csi rm --force" deletes them all');
}

/** Names the first few, for people. */
export function nameAliases(aliases: readonly Pick<Reject, 'index' | 'path'>[]): string {
  const names = aliases.slice(0, NAMED_MAX).map(({ index, path }) => `${JSON.stringify(path)}, log entry ${index}`);
  return aliases.length > NAMED_MAX ? `${names.join('; ')}; and ${aliases.length - NAMED_MAX} more` : names.join('; ');
}

/** Zeroes the memory of a refused entry that is its alone. Its entry has to be named in the claim. */
export function zeroOwnMemory({ replayer, memory }: Pool, { extents }: Reject): void {
  for (const { start, end } of extents) {
    const area = { start, end: Math.min(end, deviceEnd(memory, start)) };
    for (const own of freeRuns(replayer.memory.maps, [], [area])) memory.zero(own.start, own.end - own.start);
  }
}

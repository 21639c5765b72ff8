import { FamfsError } from '../errors.ts';
import { aliasesOf, nameRejected, type Rejected } from '../log/rejected.ts';
import type { Pool } from '../pool/pool.ts';

/** The refused entries that have memory of the files at these paths: see aliasesOf. */
export function aliasesAt({ replayer: { rejected }, view }: Pool, paths: readonly string[]): Rejected[] {
  if (rejected.length === 0) return [];
  return aliasesOf(rejected, new Set(paths), paths.flatMap((path) => view.extents(view.resolve(path))));
}

/** Throws FamfsError ALIASED where there are any: they would go with `path`. */
export function refuseAliased(path: string, aliases: readonly Rejected[]): void {
  if (aliases.length === 0) return;
  throw new FamfsError('ALIASED', `${path} shares its memory with what the reference tools show as other files (${nameRejected(aliases)}): ` +
    'they would go with it; "famfs-csi rm --force" deletes them all');
}

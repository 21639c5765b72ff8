import { FamfsError } from '../errors.ts';
import { REFERENCE_DIRECTORY } from '../format/entry-layout.ts';
import { indexOf } from '../index/index-store.ts';
import { hiddenEntries } from '../log/guards.ts';
import type { Problem } from '../log/problem.ts';
import { sourceOf } from '../pool/pool-source.ts';
import { Pool, type PoolUsage } from '../pool/pool.ts';
import { strandedEntry } from '../writer/take-over/stranded.ts';
import { claimProblems } from './claim-problems.ts';
import { memoryProblems } from './memory-check.ts';

/** Problems of entries of each kind that are named. */
const NAMED_MAX = 1000;

export interface FsckReport {
  /** 0 clean, 1 damage, collision, impossible entry or memory that fails, 2 could not look. */
  readonly status: 0 | 1 | 2;
  /** Why nothing could be checked, or superblock and log header allowed no replay. */
  readonly failure?: string;
  /** Of entries, the first thousand of each kind, and how many more there are. */
  readonly problems: readonly Problem[];
  readonly uuid?: string;
  readonly systemUuid?: string;
  readonly usage?: PoolUsage;
}

/**
 * Checks a pool from its bytes alone, without changing any; with `memory`, also whether the memory of
 * all files can be read, which takes time with their size. Never throws on what it finds.
 */
export function fsck(devicePath: string, { memory = false } = {}): FsckReport {
  let pool: Pool;
  try {
    pool = Pool.open(sourceOf(devicePath), { writable: false, namedMax: NAMED_MAX });
  } catch (error) {
    if (!(error instanceof FamfsError)) throw error;
    const found = error.code === 'NOT_FAMFS' || error.code === 'DAMAGED';
    return { status: found ? 1 : 2, failure: error.message, problems: [] };
  }
  try {
    const stranded = pool.replayer.damaged ? undefined : strandedEntry(pool.replayer);
    const problems = [...pool.problems, ...hiddenEntries(pool.replayer.geometry, pool.replayer.list), ...(stranded === undefined ? [] : [stranded]), ...nameProblems(pool),
      ...claimProblems(pool.replayer.ring),
      ...(memory ? memoryProblems(pool) : [])];
    const bad = problems.some(({ severity }) => severity !== 'note');
    return { status: bad ? 1 : 0, problems, uuid: pool.uuid, systemUuid: pool.systemUuid, usage: pool.usage() };
  } finally {
    pool.close();
  }
}

/** A name that readers of ours take as any other, and that may keep the reference tools from mounting the pool. */
function nameProblems(pool: Pool): Problem[] {
  const found = pool.stat(REFERENCE_DIRECTORY);
  if (found === undefined) return [];
  const reason = 'this name belongs to the reference tools, and may keep them from mounting the pool: "famfs-csi rm" deletes it';
  return [{ place: 'log entry', index: indexOf(found.node), path: found.path, severity: 'note', reason }];
}

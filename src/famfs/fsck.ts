import { ClaimLayout } from './format/claim-record.ts';
import { FamfsError } from './errors.ts';
import { Pool, type PoolUsage } from './pool.ts';
import type { Problem } from './log/problem.ts';

export interface FsckReport {
  /** 0 clean, 1 damage, collision or impossible entry, 2 could not look. */
  readonly status: 0 | 1 | 2;
  /** Why nothing could be checked, or superblock and log header allowed no replay. */
  readonly failure?: string;
  readonly problems: readonly Problem[];
  readonly uuid?: string;
  readonly systemUuid?: string;
  readonly usage?: PoolUsage;
}

/** Checks a pool from its bytes alone, without changing any. Never throws on what it finds. */
export function fsck(devicePath: string): FsckReport {
  let pool: Pool;
  try {
    pool = Pool.open(devicePath, { writable: false });
  } catch (error) {
    if (!(error instanceof FamfsError)) throw error;
    const found = error.code === 'NOT_FAMFS' || error.code === 'DAMAGED';
    return { status: found ? 1 : 2, failure: error.message, problems: [] };
  }
  try {
    const problems = [...pool.problems, ...claimProblems(pool)];
    const bad = problems.some(({ severity }) => severity !== 'note');
    return { status: bad ? 1 : 0, problems, uuid: pool.uuid, systemUuid: pool.systemUuid, usage: pool.usage() };
  } finally {
    pool.close();
  }
}

/** Records of the claim ring that were written, and do not count. */
function claimProblems(pool: Pool): Problem[] {
  const { ring } = pool.replayer;
  const problems: Problem[] = [];
  const note = (reason: string) => problems.push({ place: 'claim', severity: 'note', reason });
  for (let number = 0; number < ClaimLayout.records; number++) {
    const judged = ring.verdict(number);
    if (judged.verdict === 'newer') note(`record ${number} has version ${judged.version}: a later program writes here`);
    if (judged.verdict === 'none') note(`record ${number} has no valid head: torn, damaged, or of another file system`);
    if (judged.verdict === 'valid' && ring.list(judged.head) === undefined) note(`record ${number} has no valid list: its take-over was not finished`);
  }
  return problems;
}


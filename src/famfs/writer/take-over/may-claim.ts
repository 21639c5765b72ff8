import { FamfsError } from '../../errors.ts';
import type { ClaimRecord } from '../../log/claim-ring.ts';
import { readGeometry } from '../../log/geometry.ts';
import type { Pool } from '../../pool/pool.ts';
import { isKnownStopped } from '../claim/claim.ts';
import { type AcquireOptions, refuseLivingForeigner, waitForRival } from './wait-for-rival.ts';

/**
 * Resolves when a claim may be written in a pool, with the way to tell which predecessors are known to be stopped.
 * Throws FamfsError READ_ONLY, REPLACED, FOREIGN or CLAIMED.
 */
export async function mayClaim(pool: Pool, options: AcquireOptions): Promise<(record: ClaimRecord) => boolean> {
  const { identity, assumeStopped = false } = options;
  if (!pool.memory.writable) throw new FamfsError('READ_ONLY', `${pool.memory.path} was opened read-only`);
  const { uuid, systemUuid } = readGeometry(pool.memory).superblock; // others may have changed it since
  if (!pool.replayer.identity.isUnchanged()) {
    throw new FamfsError('REPLACED', `${pool.memory.path} held the famfs ${pool.uuid} and was formatted anew (${uuid}): open it again`);
  }
  if (systemUuid !== identity.clusterUuid.toLowerCase()) {
    throw new FamfsError('FOREIGN', `${pool.memory.path} belongs to system ${systemUuid}, this is ${identity.clusterUuid}: ` +
      'run "famfs-csi adopt" once nobody else writes to it');
  }
  const isStopped = (record: ClaimRecord) =>
    assumeStopped || isKnownStopped(record, identity) || (options.stopped?.has(record.head.holder) ?? false);
  await waitForRival(pool, options, isStopped);
  if (assumeStopped) await refuseLivingForeigner(pool, identity);
  options.mayWrite?.();
  return isStopped;
}

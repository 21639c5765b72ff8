import { sumOf } from '../alloc/free-runs.ts';
import { poolAddress } from '../device/pool-address.ts';
import { ClaimLayout, recordOffset, SCRUB_POOL } from '../format/claim-record.ts';
import { EntryLayout } from '../format/entry-layout.ts';
import { entryOffset } from '../format/log-header.ts';
import type { Pool } from '../pool/pool.ts';
import { MIB } from '../units.ts';
import type { Claim } from './claim/claim.ts';

/** Bytes zeroed between two looks at the claim. */
const STEP = 2 * MIB;

/**
 * Zeroes all memory that belongs to nobody, and all slots from `end` on, with the whole pool named in
 * the claim meanwhile. `report` is told the bytes done and the bytes in all. Throws FamfsError CLAIM_LOST.
 */
export function clearFree({ replayer, memory }: Pool, claim: Claim, end: number, report: (done: number, total: number) => void): void {
  const { log, capacity, devices } = replayer.geometry;
  const areas = devices.map(({ start, end }, device) => ({ start: poolAddress(device, start), end: poolAddress(device, end) }));
  const runs = replayer.freeRuns(areas);
  const total = sumOf(runs);
  claim.storeScrubbing(SCRUB_POOL);
  claim.mustRule();
  log.zero(entryOffset(end), (capacity - end) * EntryLayout.size);
  let done = 0;
  for (const run of runs) {
    for (let at = run.start; at < run.end; at += STEP) {
      claim.mustRule();
      claim.beat(); // no timer runs meanwhile, and who does not beat looks dead
      const length = Math.min(STEP, run.end - at);
      memory.zero(at, length);
      report(done += length, total);
    }
  }
  claim.mustRule();
  for (const { head } of replayer.ring.records()) memory.superblock.store64(recordOffset(head.epoch) + ClaimLayout.scrubbing, 0n);
  memory.superblock.fence();
}

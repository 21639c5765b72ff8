import { randomBytes, randomInt } from 'node:crypto';
import type { Region } from '../../device/region.ts';
import { FamfsError } from '../../errors.ts';
import { ClaimLayout } from '../../format/claim-record.ts';
import type { ClaimRecord, ClaimRing } from '../../log/claim-ring.ts';

/** Words of a splitter: who entered last, and the last epoch whose door was closed. */
const ENTRANT = 0;
const DOOR = 8;
/** How long a loser leaves others alone, in milliseconds. */
const PAUSE_MAX = 8;
/**
 * An epoch so far above the lease's count was never reached by writers of this cluster: commands take one each, and
 * controllers raise the count. Following it could use up all 32 bits, and nobody could ever write again.
 */
export const EPOCHS_FOLLOWED = 2 ** 20;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** What an epoch is chosen by. */
export interface EpochChoice {
  /** The lease's count: the epoch will be higher. */
  readonly floor: number;
  readonly isStopped: (record: ClaimRecord) => boolean;
  /** The operator's word that every former writer is stopped. */
  readonly assumeStopped: boolean;
}

/**
 * The next epoch whose record may be used (rule R3), which no other writer has or will ever have,
 * on whatever host, with a lease or without. Throws FamfsError CLAIMED when no record is free.
 */
export function chooseEpoch(superblock: Region, ring: ClaimRing, { floor, isStopped, assumeStopped }: EpochChoice): { epoch: number; firstEpoch: number } {
  const records = ring.records();
  const highest = Math.max(floor, records[0]?.head.epoch ?? 0);
  if (highest > floor + EPOCHS_FOLLOWED) {
    throw new FamfsError('CLAIMED', `the claim of ${records[0]?.head.holder} has epoch ${highest}, and no writer of this cluster was ever above ${floor}: ` +
      'it was forged; "famfs-csi reset-claim" removes it');
  }
  const first = records[0]?.head.firstEpoch ?? highest + 1;
  const inForce = records.find(({ head }) => ring.list(head) !== undefined)?.head.epoch;
  for (let epoch = highest + 1; epoch <= highest + ClaimLayout.records && epoch < 2 ** 32; epoch++) {
    const former = records.find(({ head }) => head.epoch === epoch - ClaimLayout.records);
    let firstEpoch = first;
    if (former === undefined) {
      // Empty in the ring's first round; later it belongs to a writer that may still store its head,
      // unless the operator knows better: then a new round begins here.
      if (epoch - first >= ClaimLayout.records && !assumeStopped) continue;
      if (epoch - first >= ClaimLayout.records) firstEpoch = epoch;
    } else if (former.head.epoch === inForce || !records.every((r) => r.head.epoch > former.head.epoch || isStopped(r))) {
      continue;
    }
    if (own(superblock, epoch)) return { epoch, firstEpoch };
    Atomics.wait(pause, 0, 0, randomInt(PAUSE_MAX));
  }
  const open = records.filter((record) => !isStopped(record)).map(({ head }) => head.holder);
  const why = open.length === 0 ? `after epoch ${highest} they may belong to writers that never stored a record; say that all are stopped`
    : `${open.join(', ')} may still be running; stop them, or say that they are stopped`;
  throw new FamfsError('CLAIMED', `no record of the pool's claim ring is free: ${why}`);
}

/**
 * Goes through the splitter of an epoch (Moir and Anderson, "Wait-free algorithms for fast,
 * long-lived renaming"): of all that ever enter, at most one comes out as the owner, whatever pauses
 * wherever. It may be that none does.
 */
function own(superblock: Region, epoch: number): boolean {
  const at = ClaimLayout.splitters + (epoch % ClaimLayout.splitterCount) * ClaimLayout.splitterLength;
  const me = randomBytes(8).readBigUInt64LE();
  superblock.store64(at + ENTRANT, me);
  superblock.fence();
  if (superblock.load64(at + DOOR) === BigInt(epoch)) return false;
  superblock.store64(at + DOOR, BigInt(epoch));
  superblock.fence();
  return superblock.load64(at + ENTRANT) === me;
}

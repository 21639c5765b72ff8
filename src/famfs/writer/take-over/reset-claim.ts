import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolMemory } from '../../device/pool-memory.ts';
import { FamfsError } from '../../errors.ts';
import { ClaimLayout, recordOffset } from '../../format/claim-record.ts';
import { ClaimRing } from '../../log/claim-ring.ts';
import { readGeometry } from '../../log/geometry.ts';
import { guardListProblem, guardsBehindEnd, listMisfit } from '../../log/guards.ts';
import { Replayer } from '../../log/replayer.ts';
import { EPOCHS_FOLLOWED } from '../claim/epoch-choice.ts';

/** A record of the claim ring that no writer of the pool's cluster can have made. */
export interface ForgedRecord {
  /** Its place in the ring. */
  readonly number: number;
  readonly epoch: number;
  /** Unknown for a record of a later version. */
  readonly holder?: string;
  readonly reason: string;
}

/** More than two heartbeats. */
const WATCH_MS = 2500;

/**
 * The records that cannot be: with an epoch that writers do not reach, a list that take-overs do not make or that cannot
 * fit this log, or a version that is not ours; and all above `above`. Reads the log for that.
 */
export function forgedRecords(memory: PoolMemory, above = EPOCHS_FOLLOWED): ForgedRecord[] {
  const geometry = readGeometry(memory);
  const { superblock: { uuid }, capacity } = geometry;
  const ring = new ClaimRing(memory.superblock, uuid);
  const forged: ForgedRecord[] = [];
  const inForce = ring.listInForce();
  for (let number = 0; number < ClaimLayout.records; number++) {
    const judged = ring.verdict(number);
    if (judged.verdict === 'newer') forged.push({ number, epoch: judged.epoch, reason: `version ${judged.version}: if a later famfs-csi writes here, leave it` });
    if (judged.verdict !== 'valid') continue;
    const { epoch, holder } = judged.head;
    const list = ring.list(judged.head);
    const problem = (list && guardListProblem(list.guards, capacity)) ??
      (epoch === inForce.epoch ? listMisfit(geometry, ring, inForce) ?? behindEnd(memory) : undefined);
    if (epoch > above) forged.push({ number, epoch, holder, reason: `epoch ${epoch} is above ${above}` });
    else if (problem !== undefined) forged.push({ number, epoch, holder, reason: `its list of guards cannot be: ${problem}` });
  }
  return forged;
}

/** Why the list in force cannot be that of this log, as it begins behind its end; undefined also where the log cannot be read at all. */
function behindEnd(memory: PoolMemory): string | undefined {
  try {
    const replayer = Replayer.create(memory);
    return guardsBehindEnd(replayer.list, replayer.end)[0]?.reason;
  } catch (error) {
    if (error instanceof FamfsError) return undefined;
    throw error;
  }
}

/**
 * Takes records out of the claim ring, by one word each. All others stay: writers that wake up late find themselves
 * overruled as ever, and what hosts have acknowledged goes on to count, so nothing has to be unmounted. The next
 * take-over chooses an epoch above those that have stayed. Throws FamfsError CLAIMED where one of them gives a sign of life.
 */
export async function removeRecords(memory: PoolMemory, records: readonly ForgedRecord[]): Promise<void> {
  const { superblock } = memory;
  const bytesOf = ({ number }: ForgedRecord) => Buffer.from(superblock.bytes.subarray(recordOffset(number), recordOffset(number) + ClaimLayout.recordLength));
  const before = records.map(bytesOf);
  await sleep(WATCH_MS);
  const moving = records.find((record, k) => !bytesOf(record).equals(before[k]));
  if (moving !== undefined) {
    throw new FamfsError('CLAIMED', `${memory.path}: the record of epoch ${moving.epoch} (${moving.holder ?? 'of a later version'}) changes: whoever wrote it is alive; stop it first`);
  }
  for (const { number } of records) superblock.store64(recordOffset(number) + ClaimLayout.headCrcLength, 0n);
  superblock.fence();
}

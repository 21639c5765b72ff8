import type { DaxDevice } from './device/device.ts';
import { openDevice } from './device/open.ts';
import { FamfsError } from './errors.ts';
import { ClaimLayout } from './format/claim-record.ts';
import { decodeSuperblock, encodeSuperblock, Superblock, superblockCrc, superblockProblem } from './format/superblock.ts';
import { isUuid } from './format/struct.ts';
import { ClaimRing } from './log/claim-ring.ts';
import { Pool } from './pool.ts';
import { PoolWriter, type WriterIdentity } from './writer.ts';

export interface AdoptOptions {
  /** Who will own the pool. */
  readonly identity: WriterIdentity;
  /** The operator's word that nobody else writes to the pool. */
  readonly assumeStopped?: boolean;
  readonly report?: (done: number, total: number) => void;
}

/** While the superblock is rewritten a copy stands here, where the reference tools never look. */
const COPY_AT = 2048;

/**
 * Makes a pool ours that the reference tools, or another cluster, formatted: zeroes all memory that
 * belongs to no file, then writes our UUID into the superblock. The files stay. Can be repeated
 * after a crash. Throws FamfsError as Pool.open and PoolWriter.acquire do.
 */
export async function adopt(devicePath: string, options: AdoptOptions): Promise<{ uuid: string; formerOwner: string }> {
  const { identity } = options;
  if (!isUuid(identity.clusterUuid)) throw new FamfsError('INVALID', `"${identity.clusterUuid}" is not the UUID of a cluster`);
  const device = openDevice(devicePath);
  try {
    restoreCopy(device);
  } finally {
    device.close();
  }
  const pool = Pool.open(devicePath, { lock: 'exclusive' });
  try {
    const formerOwner = pool.systemUuid;
    clearStrangeRing(pool);
    const asFormer = { ...identity, clusterUuid: formerOwner };
    const { assumeStopped = false } = options;
    const writer = await PoolWriter.acquire(pool, { identity: asFormer, assumeStopped, willScrub: true });
    try {
      writer.scrubFree(options.report);
      writer.mustRule();
      rewriteOwner(pool.device, identity.clusterUuid);
    } finally {
      writer.close();
    }
    return { uuid: pool.uuid, formerOwner };
  } finally {
    pool.close();
  }
}

/** Where the claim ring belongs, the reference's mkfs leaves what was there before. */
function clearStrangeRing(pool: Pool): void {
  const { superblock } = pool.device;
  const ring = new ClaimRing(superblock, pool.uuid);
  if (ring.records().length > 0 || ring.newerVersions().length > 0) return;
  superblock.zero(Superblock.length, COPY_AT - Superblock.length);
  superblock.zero(ClaimLayout.changeWord, superblock.length - ClaimLayout.changeWord);
  superblock.fence();
}

function rewriteOwner({ superblock }: DaxDevice, clusterUuid: string): void {
  const old = Buffer.from(superblock.bytes.subarray(0, Superblock.length));
  const bytes = encodeSuperblock({ ...decodeSuperblock(old), systemUuid: clusterUuid });
  bytes.writeBigUInt64LE(BigInt(superblockCrc(bytes)), Superblock.crcLength);
  superblock.store(COPY_AT, bytes);
  superblock.fence();
  superblock.store(0, bytes);
  superblock.fence();
  superblock.zero(COPY_AT, Superblock.length);
}

/** Finishes what a crash in the middle of rewriteOwner left. */
function restoreCopy({ superblock }: DaxDevice): void {
  const now = Buffer.from(superblock.bytes.subarray(0, Superblock.length));
  const copy = Buffer.from(superblock.bytes.subarray(COPY_AT, COPY_AT + Superblock.length));
  if (superblockProblem(now) === undefined || superblockProblem(copy) !== undefined) return;
  if (decodeSuperblock(now).uuid !== decodeSuperblock(copy).uuid) return;
  superblock.store(0, copy);
  superblock.fence();
}

import type { DaxDevice } from '../device/device.ts';
import { openDevice } from '../device/open.ts';
import type { Region } from '../device/region.ts';
import { FamfsError } from '../errors.ts';
import { ClaimLayout, recordOffset } from '../format/claim-record.ts';
import { hasFormatMarker } from '../format/format-marker.ts';
import { isUuid } from '../format/struct.ts';
import {
  decodeSuperblock, foreignFormat, Superblock, superblockCopy, superblockProblem, superblockStruct, withOwner,
} from '../format/superblock.ts';
import { type ClaimRecord, ClaimRing } from '../log/claim-ring.ts';
import { sourceOf } from '../pool/pool-source.ts';
import { Pool } from '../pool/pool.ts';
import { isKnownStopped } from '../writer/claim/claim.ts';
import { RivalWatch } from '../writer/claim/rival-watch.ts';
import { PoolWriter, type WriterIdentity } from '../writer/writer.ts';
import { drawLogLife } from './log-life.ts';

export interface AdoptOptions {
  /** Who will own the pool. */
  readonly identity: WriterIdentity;
  /** The operator's word that nobody else writes to the pool. */
  readonly assumeStopped?: boolean;
  readonly report?: (done: number, total: number) => void;
}

/** Bytes of a strange claim ring that are cleared between two looks at it. */
const RING_STEP = 1024;

/**
 * Makes a pool ours that the reference tools, or another cluster, formatted: zeroes all memory that
 * belongs to no file, then writes our UUID into the superblock. The files stay. Can be repeated
 * after a crash. Throws FamfsError as Pool.open and PoolWriter.acquire do, and CLAIMED unless every
 * former writer is known to be stopped.
 */
export async function adopt(devicePath: string, options: AdoptOptions): Promise<{ uuid: string; formerOwner: string }> {
  const { identity, assumeStopped = false } = options;
  if (!isUuid(identity.clusterUuid)) throw new FamfsError('INVALID', `"${identity.clusterUuid}" is not the UUID of a cluster`);
  const device = openDevice(devicePath, { lock: 'exclusive' });
  try {
    restoreCopy(device);
  } finally {
    device.close();
  }
  const pool = Pool.open(sourceOf(devicePath), { lock: 'exclusive' });
  try {
    await refuseWriters(pool, options);
    const wasStrange = clearStrangeRing(pool.memory.superblock, pool.uuid);
    const formerOwner = pool.systemUuid;
    const asFormer = { ...identity, clusterUuid: formerOwner };
    const writer = await PoolWriter.acquire(pool, { identity: asFormer, assumeStopped, willScrub: true });
    try {
      refuseOpen(pool, options, writer.epoch);
      writer.scrubFree(options.report);
      writer.mustRule();
      rewriteOwner(pool, identity.clusterUuid);
    } finally {
      writer.close();
    }
    // Last: to everybody who knows an earlier one, this writer too, it is another pool from here on.
    if (wasStrange || pool.replayer.identity.logLife === '') pool.memory.superblock.store64(ClaimLayout.logLife, drawLogLife());
    return { uuid: pool.uuid, formerOwner };
  } finally {
    pool.close();
  }
}

/**
 * Throws CLAIMED unless all former writers are known to be stopped. An operator's word does for
 * those, but not for one of another cluster that gives signs of life, be it through the claim of a
 * file system that stood here before.
 */
async function refuseWriters(pool: Pool, options: AdoptOptions): Promise<void> {
  refuseOpen(pool, options);
  const { identity, assumeStopped = false } = options;
  const mine = identity.clusterUuid.toLowerCase();
  const isStopped = (record: ClaimRecord) =>
    isKnownStopped(record, identity) || (assumeStopped && record.head.clusterUuid === mine);
  const alive = await new RivalWatch(pool.memory.superblock, isStopped).wait();
  if (alive !== undefined) throw new FamfsError('CLAIMED', `${pool.memory.path} is being written to by ${alive}; stop it first`);
}

/** Zeroing everything that is free is safe only when none of the former writers can wake up. */
function refuseOpen(pool: Pool, { identity, assumeStopped }: AdoptOptions, ownEpoch?: number): void {
  if (assumeStopped) return;
  const former = pool.replayer.ring.records().filter(({ head }) => head.epoch !== ownEpoch);
  const open = former.filter((record) => !isKnownStopped(record, identity));
  if (open.length === 0) return;
  const who = open.map(({ head }) => `${head.holder} (epoch ${head.epoch})`).join(', ');
  throw new FamfsError('CLAIMED', `${pool.memory.path}: ${who} wrote to this pool and may still be running; ` +
    'stop it, or say --assume-stopped if it has ended for good');
}

/**
 * Where the claim ring belongs, the reference's mkfs leaves what was there before. Nobody rules
 * yet, so each piece is zeroed only right after a look that nobody has begun to. Answers whether there was anything.
 */
function clearStrangeRing(superblock: Region, uuid: string): boolean {
  const ring = new ClaimRing(superblock, uuid);
  const isOurs = () => ring.records().length > 0 || ring.newerVersions().length > 0;
  if (isOurs()) return false;
  let wasStrange = superblock.load64(ClaimLayout.changeWord) !== 0n;
  if (wasStrange) superblock.store64(ClaimLayout.changeWord, 0n);
  const end = recordOffset(0) + ClaimLayout.records * ClaimLayout.recordLength;
  for (let at = recordOffset(0); at < end; at += RING_STEP) {
    if (superblock.bytes.subarray(at, at + RING_STEP).every((byte) => byte === 0)) continue;
    if (isOurs()) return wasStrange;
    wasStrange = true;
    superblock.zero(at, RING_STEP);
    superblock.fence();
  }
  return wasStrange;
}

function rewriteOwner({ memory, uuid }: Pool, clusterUuid: string): void {
  const { superblock } = memory;
  const old = Buffer.from(superblock.bytes.subarray(0, Superblock.length));
  if (superblockProblem(old) !== undefined || decodeSuperblock(old).uuid !== uuid) {
    throw new FamfsError('DAMAGED', `${memory.path}: the superblock changed while the pool was adopted`);
  }
  const bytes = withOwner(old, clusterUuid);
  superblock.store(Superblock.copyAt, bytes);
  superblock.fence();
  const { systemUuid, crc } = superblockStruct.fields;
  superblock.store(systemUuid.offset, bytes.subarray(systemUuid.offset, crc.offset + crc.size));
  superblock.fence();
  superblock.zero(Superblock.copyAt, Superblock.length);
}

/** Finishes what a crash in the middle of rewriteOwner left. */
function restoreCopy({ superblock }: DaxDevice): void {
  const now = Buffer.from(superblock.bytes.subarray(0, Superblock.length));
  const copy = superblockCopy(superblock.bytes);
  if (superblockProblem(now) === undefined || superblockProblem(copy) !== undefined) return;
  if (foreignFormat(now) !== undefined) return;
  if (decodeSuperblock(now).uuid !== decodeSuperblock(copy).uuid) return;
  // A formatting took the magic away, and may have cleared more than that.
  if (decodeSuperblock(now).magic !== Superblock.magic && hasFormatMarker(superblock.bytes)) return;
  superblock.store(0, copy);
  superblock.fence();
}

import type { Region } from '../../device/region.ts';
import { FamfsError } from '../../errors.ts';
import {
  type ClaimHead, ClaimLayout, type ClaimList, encodeClaimHead, encodeClaimList, recordOffset,
} from '../../format/claim-record.ts';
import { bootId } from '../../host.ts';
import type { ClaimRecord, ClaimRing } from '../../log/claim-ring.ts';
import { chooseEpoch, type EpochChoice } from './epoch-choice.ts';
import { WriterLock, hostOf, hostPart, lockIsFree } from './writer-lock.ts';

/** Who writes: the cluster that owns the pool, this host, and where the host keeps its locks. */
export interface WriterIdentity {
  readonly clusterUuid: string;
  /** Unique among the hosts of the cluster, and the same after a reboot. */
  readonly hostId: string;
  /** On this host alone and gone after a reboot, as under /run. */
  readonly hostDirectory: string;
}

/**
 * This writer's own record in the claim ring (rules R1 and R3 in docs/words.md).
 *
 * The record with the highest epoch rules. Nothing can stop a writer that is overruled, so it has to stop
 * itself: it reads the claim before, between and after its stores, and fails once another one rules. What it
 * may store before it notices is bounded, and its successor has made sure that nobody reads it.
 */
export class Claim {
  readonly head: Pick<ClaimHead, 'epoch' | 'holder'>;
  readonly #superblock: Region;
  readonly #ring: ClaimRing;
  readonly #lock: WriterLock;
  readonly #at: number;
  #beats = 0n;
  #changes = 0n;
  #lost = false;
  #closed = false;

  /**
   * Writes the head of a new record with the next epoch. From then on this writer rules. It must not
   * append before it has judged its predecessors and found the log's end: see take-over.ts.
   * Throws FamfsError UNSUPPORTED (a later program writes here) or CLAIMED (no usable record).
   */
  static write(superblock: Region, ring: ClaimRing, uuid: string, identity: WriterIdentity, choice: EpochChoice): Claim {
    const newer = ring.newerVersions();
    if (newer.length > 0) {
      throw new FamfsError('UNSUPPORTED', `the pool's claim has version ${newer[0]}: a later famfs-csi writes here; upgrade this one`);
    }
    const lock = new WriterLock(identity.hostId, identity.hostDirectory);
    const { holder } = lock;
    try {
      const { epoch, firstEpoch } = chooseEpoch(superblock, ring, choice);
      const head = encodeClaimHead({ uuid, epoch, firstEpoch, clusterUuid: identity.clusterUuid, holder, bootId: bootId() });
      storeHead(superblock, recordOffset(epoch), head);
      return new Claim(superblock, ring, lock, epoch, recordOffset(epoch));
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(superblock: Region, ring: ClaimRing, lock: WriterLock, epoch: number, at: number) {
    this.#superblock = superblock;
    this.#ring = ring;
    this.#lock = lock;
    this.#at = at;
    this.head = { epoch, holder: lock.holder };
  }

  /** Whether this writer has seen that it rules no longer. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Reads the claim. Throws FamfsError CLAIM_LOST when another rules; this writer is then at its end. */
  mustRule(): void {
    if (!this.#lost && this.#ring.rules(this.head)) return;
    this.#lost = true;
    const now = this.#ring.ruling()?.head;
    const who = now === undefined ? 'nobody' : `${now.holder} with epoch ${now.epoch}`;
    throw new FamfsError('CLAIM_LOST', `${this.head.holder} lost the pool: ${who} rules now; nothing more is written`);
  }

  /** Stops for good: after a failure in the middle of something, nothing more may be written. */
  fail(): void {
    this.#lost = true;
  }

  /** Writes the record's list, once. */
  writeList(list: ClaimList): void {
    const bytes = encodeClaimList(this.head, list);
    const at = this.#at + ClaimLayout.list;
    this.#superblock.store64(at, 0n);
    this.#superblock.store(at + 8, bytes.subarray(8));
    this.#superblock.store64(at, bytes.readBigUInt64LE(0));
    this.#superblock.fence();
  }

  /** The change word as this writer stored it last. */
  get change(): bigint {
    return (BigInt(this.head.epoch) << 32n) | this.#changes;
  }

  /** Tells every reader that states or guards changed. No value is stored twice. */
  storeChange(): void {
    this.#changes += 1n;
    this.#superblock.store64(ClaimLayout.changeWord, this.change);
  }

  /**
   * Stores the change word again where a late writer has stored an older one over it: a member could not
   * acknowledge what it never sees.
   */
  keepChange(): void {
    if (this.#superblock.load64(ClaimLayout.changeWord) !== this.change) this.storeChange();
  }

  /**
   * Stores the scrub word: the log entry whose memory is being zeroed, plus one; 0 for none. Nobody gives that
   * memory to another file while it is named and this writer may still run.
   */
  storeScrubbing(word: bigint): void {
    this.#superblock.store64(this.#at + ClaimLayout.scrubbed, 0n);
    this.#superblock.store64(this.#at + ClaimLayout.scrubbing, word);
    this.#superblock.fence();
  }

  /** Says how much of what is named is done. */
  storeScrubbed(bytes: number): void {
    this.#superblock.store64(this.#at + ClaimLayout.scrubbed, BigInt(bytes));
  }

  beat(): void {
    this.#beats += 1n;
    this.#superblock.store64(this.#at + ClaimLayout.heartbeat, this.#beats);
  }

  /** Ends without a store, for memory that is closed already: the free lock tells this host alone that the writer has ended. */
  leave(): void {
    this.#closed = this.#lost = true;
    this.#lock.release();
  }

  /**
   * A clean stop: stores `closed`, the last store of this writer, and releases its lock. Further calls do nothing.
   * Where this record is no longer, nothing is stored: the word could be that of a living writer.
   */
  close(): void {
    if (this.#closed) return;
    if (this.#ring.stands(this.head)) this.#superblock.store64(this.#at + ClaimLayout.closed, BigInt(this.head.epoch));
    this.leave();
  }
}

function storeHead(superblock: Region, at: number, head: Buffer): void {
  // The record's former head goes first: without its words, its writer would not be known to be stopped.
  superblock.store64(at + ClaimLayout.headCrcLength, 0n);
  for (const word of [ClaimLayout.heartbeat, ClaimLayout.scrubbing, ClaimLayout.closed, ClaimLayout.scrubbed]) superblock.store64(at + word, 0n);
  superblock.store(at, head.subarray(0, ClaimLayout.headCrcLength));
  superblock.store64(at + ClaimLayout.headCrcLength, head.readBigUInt64LE(ClaimLayout.headCrcLength));
  superblock.fence();
}

/** Whether a writer is known to be stopped, by what its record and this host can tell. */
export function isKnownStopped(record: ClaimRecord, identity: WriterIdentity): boolean {
  if (record.closed) return true;
  const { holder, bootId: itsBoot, clusterUuid } = record.head;
  if (itsBoot === bootId()) return lockIsFree(holder, identity.hostDirectory);
  if (clusterUuid !== identity.clusterUuid.toLowerCase()) return false; // another host, though it may have the name of ours
  return hostOf(holder) === hostPart(identity.hostId); // the same host has booted since
}

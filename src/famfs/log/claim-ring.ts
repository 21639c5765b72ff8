import type { Region } from '../device/region.ts';
import {
  type ClaimHead, claimHeadStruct, ClaimLayout, type ClaimList, decodeClaimHead, decodeClaimList, type HeadVerdict,
  recordOffset,
} from '../format/claim-record.ts';
import type { PoolIdentity } from '../index/pool-identity.ts';

const EPOCH_AT = claimHeadStruct.fields.epoch.offset;

/** A record of the ring with a valid head, and its words as they stood when it was read. */
export interface ClaimRecord {
  readonly head: ClaimHead;
  readonly heartbeat: bigint;
  /** A clean stop was this record's last store. */
  readonly closed: boolean;
  /** The entry whose memory is being zeroed, plus one; 0 for none. */
  readonly scrubbing: bigint;
  /** Bytes of it that are done. */
  readonly scrubbed: bigint;
}

/** The list of guarded slots and abandoned entries that counts, and whose it is. */
export interface ListInForce extends ClaimList {
  readonly epoch: number;
}

/** The claim ring of one pool, read side: who rules, and which slots are guarded. */
export class ClaimRing {
  readonly #superblock: Region;
  readonly #uuid: string;
  readonly #identity: PoolIdentity | undefined;

  /** Records of another file system than `uuid` do not count; with `identity`, nobody rules where another pool is in memory now. */
  constructor(superblock: Region, uuid: string, identity?: PoolIdentity) {
    this.#superblock = superblock;
    this.#uuid = uuid;
    this.#identity = identity;
  }

  /** Changes with every change of a state and with every take-over. */
  changeWord(): bigint {
    return this.#superblock.load64(ClaimLayout.changeWord);
  }

  /** What stands in record `number` of the ring. */
  verdict(number: number): HeadVerdict {
    return decodeClaimHead(this.#superblock.bytes, recordOffset(number), this.#uuid, number);
  }

  /** All records with valid heads, highest epoch first. */
  records(): ClaimRecord[] {
    const found: ClaimRecord[] = [];
    for (let number = 0; number < ClaimLayout.records; number++) {
      if (this.#superblock.bytes[recordOffset(number)] === 0) continue; // never used, as most are
      const judged = this.verdict(number);
      if (judged.verdict === 'valid') found.push(this.#record(judged.head));
    }
    return found.sort((a, b) => b.head.epoch - a.head.epoch);
  }

  /** Versions of records that a later program wrote: this one must not write here. */
  newerVersions(): number[] {
    const verdicts = Array.from({ length: ClaimLayout.records }, (_, number) => this.verdict(number));
    return verdicts.flatMap((judged) => (judged.verdict === 'newer' ? [judged.version] : []));
  }

  /** The record that rules, or undefined when nobody ever wrote here. */
  ruling(): ClaimRecord | undefined {
    return this.records()[0];
  }

  /** Whether `head` still rules: it stands unchanged, and no record has a valid head of a higher epoch. */
  rules(head: Pick<ClaimHead, 'epoch' | 'holder'>): boolean {
    const mine = BigInt(head.epoch);
    for (let number = 0; number < ClaimLayout.records; number++) {
      if (this.#superblock.load64(recordOffset(number) + EPOCH_AT) <= mine) continue;
      const judged = this.verdict(number);
      if (judged.verdict === 'newer' || (judged.verdict === 'valid' && judged.head.epoch > head.epoch)) return false;
    }
    return this.stands(head);
  }

  /** Whether the record of `head` is there, unchanged, in the pool that was opened. */
  stands(head: Pick<ClaimHead, 'epoch' | 'holder'>): boolean {
    if (this.#identity?.isUnchanged() === false) return false;
    const own = this.verdict(head.epoch % ClaimLayout.records);
    return own.verdict === 'valid' && own.head.epoch === head.epoch && own.head.holder === head.holder;
  }

  list(head: ClaimHead): ClaimList | undefined {
    return decodeClaimList(this.#superblock.bytes, recordOffset(head.epoch), head);
  }

  /** The list in force: that of the highest epoch which has a valid one. Epoch 0 stands for none. */
  listInForce(): ListInForce {
    for (const { head } of this.records()) {
      const list = this.list(head);
      if (list !== undefined) return { epoch: head.epoch, ...list };
    }
    return { epoch: 0, guards: [], abandoned: [] };
  }

  #record(head: ClaimHead): ClaimRecord {
    const at = recordOffset(head.epoch);
    return {
      head,
      heartbeat: this.#superblock.load64(at + ClaimLayout.heartbeat),
      closed: this.#superblock.load64(at + ClaimLayout.closed) === BigInt(head.epoch),
      scrubbing: this.#superblock.load64(at + ClaimLayout.scrubbing),
      scrubbed: this.#superblock.load64(at + ClaimLayout.scrubbed),
    };
  }
}

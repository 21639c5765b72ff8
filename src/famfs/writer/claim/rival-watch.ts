import { setTimeout as sleep } from 'node:timers/promises';
import type { Region } from '../../device/region.ts';
import { claimHeadStruct, ClaimLayout, decodeClaimHead, recordOffset } from '../../format/claim-record.ts';
import { type ClaimRecord, ClaimRing } from '../../log/claim-ring.ts';

/** More than two heartbeats. */
const WATCH_MS = 2500;
const UUID = claimHeadStruct.fields.uuid;
const RING_END = ClaimLayout.ring + ClaimLayout.records * ClaimLayout.recordLength;

/**
 * Watches the claim ring before all of a device is cleared or taken over. Records count whatever
 * file system they name: the superblock that would tell may be damaged.
 */
export class RivalWatch {
  readonly #superblock: Region;
  readonly #isStopped: (record: ClaimRecord) => boolean;
  readonly #before: Buffer;

  constructor(superblock: Region, isStopped: (record: ClaimRecord) => boolean) {
    this.#superblock = superblock;
    this.#isStopped = (record) => record.closed || isStopped(record);
    this.#before = Buffer.from(superblock.bytes.subarray(ClaimLayout.ring, RING_END));
  }

  /** The writers that are not known to be stopped, of whatever file system. */
  open(): ClaimRecord[] {
    return recordsOfAll(this.#superblock).filter((record) => !this.#isStopped(record));
  }

  /** Waits for signs of life, if there is anybody to wait for; returns who gave one. */
  async wait(): Promise<string | undefined> {
    if (this.open().length > 0 || fileSystems(this.#superblock, 'newer').length > 0) await sleep(WATCH_MS);
    return this.moved();
  }

  /** Who has written to the claim ring since this watch was made and is not known to be stopped; or undefined. */
  moved(): string | undefined {
    const { bytes } = this.#superblock;
    for (let number = 0; number < ClaimLayout.records; number++) {
      const at = recordOffset(number);
      const before = this.#before.subarray(at - ClaimLayout.ring, at - ClaimLayout.ring + ClaimLayout.recordLength);
      if (bytes.subarray(at, at + ClaimLayout.recordLength).equals(before)) continue;
      const record = recordsOfAll(this.#superblock).find(({ head }) => recordOffset(head.epoch) === at);
      if (record === undefined) return 'somebody';
      if (!this.#isStopped(record)) return record.head.holder;
    }
    return undefined;
  }
}

function recordsOfAll(superblock: Region): ClaimRecord[] {
  return fileSystems(superblock, 'valid').flatMap((uuid) => new ClaimRing(superblock, uuid).records());
}

/** The file systems that the heads of a verdict name. */
function fileSystems({ bytes }: Region, verdict: 'valid' | 'newer'): string[] {
  const found = new Set<string>();
  for (let number = 0; number < ClaimLayout.records; number++) {
    const at = recordOffset(number);
    const uuid = UUID.read(bytes, at + UUID.offset);
    if (decodeClaimHead(bytes, at, uuid, number).verdict === verdict) found.add(uuid);
  }
  return [...found];
}

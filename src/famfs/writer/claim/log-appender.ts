import { FamfsError } from '../../errors.ts';
import type { SlotRange } from '../../format/claim-record.ts';
import { EntryLayout } from '../../format/entry-layout.ts';
import { entryIsValid, newEntry } from '../../format/entry.ts';
import { entryOffset, LogHeader, stateOffset } from '../../format/log-header.ts';
import { EntryType, nextWord } from '../../format/state-word.ts';
import type { Geometry } from '../../log/geometry.ts';
import type { Claim } from './claim.ts';

/** Entries that become visible by one store: as many as a take-over guards. */
export const BATCH_MAX = 4;

/**
 * The stores of the one writer, in an order in which the writer may end after any of them without harm.
 * Nothing here waits: an append is one synchronous burst, with claim reads before, between and after.
 *
 * Example, a volume of two entries for slots 10 and 11: store entry 11; store entry 10 but for its CRC;
 * fence; store the CRC of entry 10. Readers scan from the front, so up to here they see neither, and from
 * here on both. Then the counters, which the reference tools read.
 */
export class LogAppender {
  /** The next slot. */
  end: number;
  readonly #geometry: Geometry;
  readonly #claim: Claim;

  constructor(geometry: Geometry, claim: Claim, end: number) {
    this.#geometry = geometry;
    this.#claim = claim;
    this.end = end;
  }

  /**
   * Appends up to four encoded entries, which were made for the slots from `end` on; readers see
   * all of them or none. Throws FamfsError LOG_FULL or CLAIM_LOST; after the latter this writer is
   * at its end, and the batch may or may not be there.
   */
  append(batch: readonly Buffer[]): void {
    const { log, capacity } = this.#geometry;
    const first = this.end;
    if (batch.length < 1 || batch.length > BATCH_MAX) throw new RangeError(`a batch has 1 to ${BATCH_MAX} entries, not ${batch.length}`);
    if (first + batch.length > capacity) {
      throw new FamfsError('LOG_FULL', `the log has ${capacity - first} of ${capacity} slots left, ${batch.length} are needed`);
    }
    this.#claim.mustRule();
    try {
      for (let k = batch.length - 1; k >= 0; k--) {
        const at = entryOffset(first + k);
        log.store(at, batch[k].subarray(0, EntryLayout.crc));
        if (k === 0) log.fence(); // readers scan from the front: the first CRC shows the whole batch
        log.store64(at + EntryLayout.crc, batch[k].readBigUInt64LE(EntryLayout.crc));
      }
      log.fence();
      this.#claim.mustRule();
      this.end = first + batch.length;
      this.#storeCounters();
      this.#claim.mustRule();
    } catch (error) {
      this.#claim.fail();
      throw error;
    }
  }

  /**
   * Moves an entry's state forward by one store, and tells the readers.
   * Throws FamfsError CLAIM_LOST; the new state may or may not be there then.
   */
  storeState(index: number, word: bigint): void {
    const { log } = this.#geometry;
    this.#claim.mustRule();
    log.store64(stateOffset(index), word);
    this.#claim.storeChange();
    log.fence();
    this.#claim.mustRule();
  }

  stateWord(index: number): bigint {
    return this.#geometry.log.load64(stateOffset(index));
  }

  /**
   * Makes guarded slots void entries again, where they are anything else. Throws FamfsError CLAIM_LOST. Of a valid
   * entry only the state word is stored: what it was can still be read, should the list of guards be a forged one.
   */
  restoreGuards(guards: readonly SlotRange[]): void {
    for (const { first, count } of guards) {
      for (let slot = first; slot < Math.min(first + count, this.end); slot++) this.#restoreGuard(slot);
    }
  }

  #restoreGuard(slot: number): void {
    const { log } = this.#geometry;
    const at = entryOffset(slot);
    const entry = Buffer.from(log.bytes.subarray(at, at + EntryLayout.size));
    const isValid = entryIsValid(entry, slot);
    if (isValid && entry.readUInt32LE(EntryLayout.type) === EntryType.Void) return;
    this.#claim.mustRule();
    const word = isValid ? nextWord(entry.readBigUInt64LE(EntryLayout.type), 'void') : undefined;
    if (word !== undefined) return log.store64(stateOffset(slot), word);
    const guard = guardEntry(slot);
    log.store(at, guard.subarray(0, EntryLayout.crc));
    log.store64(at + EntryLayout.crc, guard.readBigUInt64LE(EntryLayout.crc));
  }

  /** Brings counters that lag behind, or disagree, to the end of what is valid. */
  repairCounters(): void {
    const { log } = this.#geometry;
    const end = BigInt(this.end);
    if (log.load64(LogHeader.nextSeqnumOffset) !== end || log.load64(LogHeader.nextIndexOffset) !== end) this.#storeCounters();
  }

  #storeCounters(): void {
    const { log } = this.#geometry;
    log.store64(LogHeader.nextSeqnumOffset, BigInt(this.end));
    log.store64(LogHeader.nextIndexOffset, BigInt(this.end));
  }
}

/** What stands in a guarded slot: a void entry that is valid there. */
export function guardEntry(slot: number): Buffer {
  return newEntry(slot, EntryType.Void, { kind: 'unknown', payload: Buffer.alloc(EntryLayout.payloadLength) });
}

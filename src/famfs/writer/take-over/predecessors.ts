import { sumOf } from '../../alloc/free-runs.ts';
import type { ClaimRecord } from '../../log/claim-ring.ts';
import { memoryOf } from '../../log/entry-memory.ts';
import type { Replayer } from '../../log/replayer.ts';
import type { TakenOver } from './take-over.ts';

/** Former writers of a pool that may wake up late, and the memory that is left alone for their sake. */
export class Formers {
  readonly #replayer: Replayer;
  readonly #isStopped: (record: ClaimRecord) => boolean;
  #open: readonly ClaimRecord[];
  #abandoned: readonly number[];

  constructor(replayer: Replayer, { open, abandoned }: TakenOver, isStopped: (record: ClaimRecord) => boolean) {
    this.#replayer = replayer;
    this.#isStopped = isStopped;
    this.#open = open;
    this.#abandoned = abandoned;
  }

  /** Those that are not known to be stopped. */
  get open(): readonly ClaimRecord[] {
    return this.#open;
  }

  /** Entries whose memory one of them may be zeroing or filling. */
  get abandoned(): readonly number[] {
    return this.#abandoned;
  }

  /** Bytes that nobody may use for their sake. */
  get abandonedBytes(): number {
    return this.#abandoned.reduce((sum, index) => sum + sumOf(memoryOf(this.#replayer.geometry, index)), 0);
  }

  /** Looks at them again. Answers whether memory was released. */
  judge(): boolean {
    const records = this.#replayer.ring.records();
    return this.#keep((was) =>
      !this.#isStopped(records.find(({ head }) => head.epoch === was.head.epoch && head.holder === was.head.holder) ?? was));
  }

  /** Others know that one is stopped. Answers whether memory was released. */
  knowStopped(holder: string): boolean {
    return this.#keep(({ head }) => head.holder !== holder);
  }

  #keep(mayWakeUp: (former: ClaimRecord) => boolean): boolean {
    this.#open = this.#open.filter(mayWakeUp);
    if (this.#open.length > 0 || this.#abandoned.length === 0) return false;
    this.#abandoned = [];
    return true;
  }
}

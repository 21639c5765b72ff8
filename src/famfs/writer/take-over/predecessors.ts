import { sumOf } from '../../alloc/free-runs.ts';
import type { SlotRange } from '../../format/claim-record.ts';
import type { ClaimRecord } from '../../log/claim-ring.ts';
import { memoryOf } from '../../log/entry-memory.ts';
import type { Replayer } from '../../log/replayer.ts';
import type { TakenOver } from './take-over.ts';

/** The writers that a pool had before this one and that may still run, and the memory that is left alone because of them. */
export class Predecessors {
  readonly #replayer: Replayer;
  readonly #isStopped: (record: ClaimRecord) => boolean;
  /** What they can still hit in the log. */
  readonly guards: readonly SlotRange[];
  #maybeRunning: readonly ClaimRecord[];
  #abandoned: readonly number[];

  constructor(replayer: Replayer, { maybeRunning, abandoned, guards }: TakenOver, isStopped: (record: ClaimRecord) => boolean) {
    this.#replayer = replayer;
    this.#isStopped = isStopped;
    this.#maybeRunning = maybeRunning;
    this.#abandoned = abandoned;
    this.guards = guards;
  }

  /** Those that are not known to be stopped: such a one may wake up and finish what it was doing. */
  get maybeRunning(): readonly ClaimRecord[] {
    return this.#maybeRunning;
  }

  /** Entries whose memory one of them may be zeroing or filling. */
  get abandoned(): readonly number[] {
    return this.#abandoned;
  }

  /** Bytes that nobody may use because of that. */
  get abandonedBytes(): number {
    return this.#abandoned.reduce((sum, index) => sum + sumOf(memoryOf(this.#replayer.geometry, index)), 0);
  }

  /** Looks at them again. Answers whether memory was released. */
  recheck(): boolean {
    const records = this.#replayer.ring.records();
    return this.#keep((was) =>
      !this.#isStopped(records.find(({ head }) => head.epoch === was.head.epoch && head.holder === was.head.holder) ?? was));
  }

  /** Others know that one is stopped. Answers whether memory was released. */
  markStopped(holder: string): boolean {
    return this.#keep(({ head }) => head.holder !== holder);
  }

  #keep(mayRun: (predecessor: ClaimRecord) => boolean): boolean {
    this.#maybeRunning = this.#maybeRunning.filter(mayRun);
    if (this.#maybeRunning.length > 0 || this.#abandoned.length === 0) return false;
    this.#abandoned = [];
    return true;
  }
}

import { type Run, sumOf } from '../alloc/free-runs.ts';
import { FamfsError } from '../errors.ts';
import { indexOf, nodeOf, Status } from '../index/index-store.ts';
import { memoryOf } from '../log/entry-memory.ts';
import type { ReplayDelta, Replayer } from '../log/replayer.ts';

/** A deleted file whose memory has not come back. */
export interface Quarantined {
  /** Its log entry. */
  readonly index: number;
  readonly bytes: number;
  /** Whoever has seen this change word, or a later one of the same writer, knows that the file is gone. */
  readonly target: bigint;
}

/** The deleted files of a pool, as its writer keeps count of them. */
export class Quarantine {
  readonly #replayer: Replayer;
  readonly #entries = new Map<number, Quarantined>();

  constructor(replayer: Replayer) {
    this.#replayer = replayer;
  }

  /** In the order of the log. */
  get entries(): readonly Quarantined[] {
    return [...this.#entries.values()].sort((a, b) => a.index - b.index);
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Forgets entries that are in quarantine no longer, by another hand than this writer's, and answers the memory of each. */
  dropVoid(): Run[][] {
    const gone = [...this.#entries.keys()].filter((index) => this.#replayer.view.statusAt(index) !== Status.Quarantined);
    return gone.map((index) => {
      this.#entries.delete(index);
      return memoryOf(this.#replayer.geometry, index);
    });
  }

  /** The entries that are in quarantine and were not added yet. */
  notYetAdded({ removed, rebuilt }: ReplayDelta): number[] {
    const { view } = this.#replayer;
    const candidates = rebuilt ? Array.from({ length: this.#replayer.end }, (_, index) => index) : removed.map(indexOf);
    return candidates.filter((index) => view.statusAt(index) === Status.Quarantined && !this.#entries.has(index));
  }

  add(index: number, target: bigint): void {
    this.#entries.set(index, { index, bytes: sumOf(this.#known(index)), target });
  }

  /**
   * The memory of an entry, as it was when it was replayed. Throws FamfsError DAMAGED where the log says
   * something else now: which memory is whose is not known then.
   */
  extentsOf(index: number): Run[] {
    const known = this.#known(index);
    if (JSON.stringify(known) === JSON.stringify(memoryOf(this.#replayer.geometry, index))) return known;
    throw new FamfsError('DAMAGED', `log entry ${index} was written over since it was read: the memory of its deleted file is left alone`);
  }

  #known(index: number): Run[] {
    return this.#replayer.view.extents(nodeOf(index));
  }

  delete(index: number): void {
    this.#entries.delete(index);
  }
}

import { sumOf } from './alloc/free-runs.ts';
import { memoryOf } from './log/entry-memory.ts';
import type { ReplayDelta, Replayer } from './log/replayer.ts';
import { Status } from './log/index-store.ts';
import { indexOf } from './log/index-writer.ts';

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

  /** Entries of a replay that are in quarantine and not known here, and forgets those that no longer are. */
  unknown({ removed, rebuilt }: ReplayDelta): number[] {
    const { view } = this.#replayer;
    for (const index of this.#entries.keys()) if (view.statusAt(index) !== Status.Quarantined) this.#entries.delete(index);
    const candidates = rebuilt ? Array.from({ length: this.#replayer.end }, (_, index) => index) : removed.map(indexOf);
    return candidates.filter((index) => view.statusAt(index) === Status.Quarantined && !this.#entries.has(index));
  }

  add(index: number, target: bigint): void {
    this.#entries.set(index, { index, bytes: sumOf(memoryOf(this.#replayer.geometry, index)), target });
  }

  delete(index: number): void {
    this.#entries.delete(index);
  }
}

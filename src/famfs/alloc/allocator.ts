import { EXTENTS_MAX } from '../format/entry-layout.ts';
import { joined, type Run, without } from './free-runs.ts';

/**
 * Hands out free memory: one contiguous extent where there is one, the smallest that is large
 * enough; else up to 16 extents, the largest first. All sizes in bytes; runs are whole allocation
 * units.
 */
export class Allocator {
  readonly #unit: number;
  #runs: Run[];

  /** `runs`: what is free, in ascending order. */
  constructor(unit: number, runs: readonly Run[]) {
    this.#unit = unit;
    this.#runs = runs.flatMap(({ start, end }) => {
      const whole = { start: Math.ceil(start / unit) * unit, end: Math.floor(end / unit) * unit };
      return whole.end > whole.start ? [whole] : [];
    });
  }

  /** What is free, in ascending order. */
  get runs(): readonly Run[] {
    return this.#runs;
  }

  get free(): number {
    return this.#runs.reduce((sum, run) => sum + run.end - run.start, 0);
  }

  get largestContiguous(): number {
    return this.#runs.reduce((largest, run) => Math.max(largest, run.end - run.start), 0);
  }

  /** The largest file that could be made now. */
  get largestAllocatable(): number {
    return largestFirst(this.#runs).slice(0, EXTENTS_MAX).reduce((sum, run) => sum + run.end - run.start, 0);
  }

  /** Takes memory for `size` bytes, rounded up to whole units; undefined when there is too little. */
  allocate(size: number): Run[] | undefined {
    const needed = Math.ceil(size / this.#unit) * this.#unit;
    const extents = this.#contiguous(needed) ?? this.#scattered(needed);
    for (const extent of extents ?? []) this.#take(extent);
    return extents;
  }

  /** Gives memory back that was taken for something that was then not done. */
  restore(extents: readonly Run[]): void {
    this.#runs = joined([...this.#runs, ...extents]);
  }

  /** Takes out whatever is free of some runs of whole units, in any order: they must not be handed out. */
  remove(gone: readonly Run[]): void {
    this.#runs = without(this.#runs, joined(gone));
  }

  #contiguous(needed: number): Run[] | undefined {
    let best: Run | undefined;
    for (const run of this.#runs) {
      const size = run.end - run.start;
      if (size >= needed && (best === undefined || size < best.end - best.start)) best = run;
    }
    return best && [{ start: best.start, end: best.start + needed }];
  }

  #scattered(needed: number): Run[] | undefined {
    const extents: Run[] = [];
    let left = needed;
    for (const run of largestFirst(this.#runs).slice(0, EXTENTS_MAX)) {
      if (left === 0) break;
      const take = Math.min(left, run.end - run.start);
      extents.push({ start: run.start, end: run.start + take });
      left -= take;
    }
    return left === 0 ? extents : undefined;
  }

  #take(extent: Run): void {
    const k = this.#runs.findIndex(({ start }) => start === extent.start);
    if (this.#runs[k].end === extent.end) this.#runs.splice(k, 1);
    else this.#runs[k] = { start: extent.end, end: this.#runs[k].end };
  }
}

function largestFirst(runs: readonly Run[]): Run[] {
  return [...runs].sort((a, b) => (b.end - b.start) - (a.end - a.start));
}

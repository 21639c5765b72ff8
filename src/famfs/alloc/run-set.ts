import type { Run } from './free-runs.ts';

/** A set of memory: runs in ascending order that neither meet nor touch. Its cost follows the number of runs. */
export class RunSet {
  #runs: Run[] = [];

  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** Bytes of all of it. */
  get bytes(): number {
    return this.#runs.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  add({ start, end }: Run): void {
    if (start >= end) return;
    const touching = this.#runs.filter((run) => run.start <= end && start <= run.end);
    const joined = { start: Math.min(start, ...touching.map((run) => run.start)), end: Math.max(end, ...touching.map((run) => run.end)) };
    this.#replace(joined, [joined], true);
  }

  remove(gone: Run): void {
    const left = this.#runs.filter((run) => run.start < gone.end && gone.start < run.end)
      .flatMap((run) => [{ start: run.start, end: gone.start }, { start: gone.end, end: run.end }])
      .filter(({ start, end }) => start < end);
    this.#replace(gone, left, false);
  }

  /** What of a run is not in the set, in ascending order. */
  missing({ start, end }: Run): Run[] {
    const parts: Run[] = [];
    let at = start;
    for (const run of this.#runs) {
      if (run.end <= at) continue;
      if (run.start >= end) break;
      if (run.start > at) parts.push({ start: at, end: run.start });
      at = run.end;
    }
    if (at < end) parts.push({ start: at, end });
    return parts;
  }

  /** Puts runs in the place of all that meet, or with `touching` only touch, a range. */
  #replace({ start, end }: Run, by: readonly Run[], touching: boolean): void {
    const before = this.#runs.filter((run) => (touching ? run.end < start : run.end <= start));
    const after = this.#runs.filter((run) => (touching ? run.start > end : run.start >= end));
    this.#runs = [...before, ...by, ...after];
  }
}

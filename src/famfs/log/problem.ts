/** Something about a pool that a person should know. */
export interface Problem {
  /** `log`: of many of its entries at once. */
  readonly place: 'superblock' | 'log header' | 'log' | 'log entry' | 'claim' | 'memory';
  /** The log entry's index, where there is one: of memory, of the file that it belongs to. */
  readonly index?: number;
  readonly reason: string;
  readonly path?: string;
  /**
   * `damage`: bytes that are not what a writer writes; replay may have stopped there. Or memory that cannot be read.
   * `reject`: a sound entry that cannot be (bad path, impossible or colliding memory); it is skipped.
   * `note`: harmless, and worth knowing.
   */
  readonly severity: 'damage' | 'reject' | 'note';
}

/** One line for a person. */
export function describeProblem(problem: Problem): string {
  const place = problem.place === 'memory' ? 'memory of log entry' : problem.place;
  const where = problem.index === undefined ? place : `${place} ${problem.index}`;
  const path = problem.path === undefined ? '' : ` (${JSON.stringify(problem.path)})`;
  return `${where}${path}: ${problem.reason}`;
}

/** How many problems of one kind are named where nobody asks for more. The others are counted. */
export const NAMED_MAX = 16;

/**
 * Problems of log entries of one kind: how many there are, and the first few by name. Whoever can write to the
 * log can make as many as it has slots, so no more is kept of them.
 */
export class EntryProblems {
  count = 0;
  readonly #severity: Problem['severity'];
  readonly #others: string;
  readonly #most: number;
  readonly #named = new Map<number, Problem>();

  /** `others` is what is said of those that are only counted, after their number. */
  constructor(severity: Problem['severity'], others: string, most: number) {
    this.#severity = severity;
    this.#others = others;
    this.#most = most;
  }

  /** One more; `tell` is asked for its words only if it is named. */
  add(index: number, tell: () => Pick<Problem, 'reason' | 'path'>): void {
    this.count++;
    this.name(index, tell);
  }

  /** Names one that was counted before, where there is room or it is named already. */
  name(index: number, tell: () => Pick<Problem, 'reason' | 'path'>): void {
    if (this.#named.size >= this.#most && !this.#named.has(index)) return;
    this.#named.set(index, { place: 'log entry', index, severity: this.#severity, ...tell() });
  }

  /** It is none any more. */
  remove(index: number): void {
    this.count--;
    this.#named.delete(index);
  }

  /** Those that are named. */
  get named(): Iterable<Problem> {
    return this.#named.values();
  }

  /** All others, as one. */
  get others(): Problem[] {
    const others = this.count - this.#named.size;
    return others === 0 ? [] : [{ place: 'log', severity: this.#severity, reason: `${others} ${this.#others}` }];
  }
}

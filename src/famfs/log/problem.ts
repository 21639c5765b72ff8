/** Something about a pool that a person should know. */
export interface Problem {
  readonly place: 'superblock' | 'log header' | 'log entry' | 'claim' | 'memory';
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

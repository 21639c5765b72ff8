/** Runs works two or more at a time, where they do not disturb each other. */

/** What a work says of others beside it. */
export interface Lane {
  /** Nothing runs beside it: it takes the whole machine. */
  readonly alone?: true;
  /** Works that take the same thing run one after the other. */
  readonly takes?: string;
  /** Needs no lane: it makes use of what the others leave. */
  readonly background?: true;
}

/**
 * Runs all works, at most so many at a time; each starts as soon as it may, the first ones first. `run` is told the
 * works that run when it starts. Answers what they gave, in the order of the works.
 */
export async function inLanes<Work extends Lane, Result>(
  works: readonly Work[], lanes: number, run: (work: Work, beside: readonly Work[]) => Promise<Result>,
): Promise<Map<Work, Result>> {
  const results = new Map<Work, Result>();
  const pending = [...works];
  const running = new Map<Work, Promise<void>>();
  const lanesTaken = (): number => [...running.keys()].filter((work) => !work.background).length;
  const isFree = (work: Work): boolean => work.background === true || lanesTaken() < lanes;
  const mayStart = (work: Work): boolean => isFree(work) && [...running.keys()].every((other) => agree(work, other));
  while (pending.length + running.size > 0) {
    for (let next = pending.find(mayStart); next !== undefined; next = pending.find(mayStart)) {
      const work = next;
      pending.splice(pending.indexOf(work), 1);
      const ended = run(work, [...running.keys()]).then((result) => {
        results.set(work, result);
        running.delete(work);
      });
      running.set(work, ended);
    }
    await Promise.race(running.values());
  }
  return new Map(works.map((work) => [work, results.get(work)!]));
}

function agree(one: Lane, other: Lane): boolean {
  if (one.alone || other.alone) return false;
  return one.takes === undefined || one.takes !== other.takes;
}

/** A part of the run: one in which serving processes are taken away, or one in which each lives on. */
export interface Phase {
  readonly kind: 'storm' | 'calm';
  /** From the beginning of the run, in milliseconds. */
  readonly endsAt: number;
}

/** The longer rest of a round, in which a leak of one process life shows. */
const STORM = 0.4;
const MINUTE_MS = 60_000;
/** Samples are taken this often in a run of an hour, and oftener in shorter ones. */
const LONGEST_INTERVAL_MS = 10_000;
const SHORTEST_INTERVAL_MS = 1000;

/** Rounds of a storm and a calm; more than one, where there is the time, so that calms can be compared. */
export function phasesOf(minutes: number): Phase[] {
  const rounds = minutes < 10 ? 1 : minutes < 30 ? 2 : 3;
  const roundMs = minutes * MINUTE_MS / rounds;
  return Array.from({ length: rounds }, (_, round): Phase[] => [
    { kind: 'storm', endsAt: (round + STORM) * roundMs },
    { kind: 'calm', endsAt: (round + 1) * roundMs },
  ]).flat();
}

export function intervalOf(minutes: number): number {
  return Math.min(Math.max(minutes / 60 * LONGEST_INTERVAL_MS, SHORTEST_INTERVAL_MS), LONGEST_INTERVAL_MS);
}

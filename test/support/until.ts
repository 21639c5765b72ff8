/**
 * Waiting for what others do: the one place where tests do so. Deadlines are far away, for machines that are slow; a
 * test that waits for what can come no more says so by `hopeless`.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** How something is waited for. */
export interface Patience {
  /** The longest wait. */
  readonly limitMs?: number;
  /** The pause between two looks, where a look costs something or changes what is seen. */
  readonly everyMs?: number;
  /** Why it is no use to wait any longer; undefined while it is. */
  readonly hopeless?: () => string | undefined;
  /** Whether an error ends the wait at once. */
  readonly fatal?: (error: unknown) => boolean;
  /** What a failure tells of the state of things. */
  readonly describe?: () => Promise<string> | string;
}

/** What takes a second takes many on a machine where whole clusters of processes run. */
const LIMIT_MS = 180_000;
/** Pauses where looks cost nothing: from the first to the longest. */
const FIRST_MS = 2;
const LONGEST_MS = 50;
/** The pause where others are asked. */
const ASK_MS = 250;

/** Repeats a check until it throws no more, and answers what it gives; in the end throws what it threw last. */
export async function until<Result>(check: (attempt: number) => Promise<Result> | Result, patience: Patience = {}): Promise<Result> {
  const { limitMs = LIMIT_MS, everyMs, hopeless, fatal, describe } = patience;
  let pauseMs = everyMs ?? FIRST_MS;
  const start = performance.now();
  for (let attempt = 0; ; attempt++, await sleep(pauseMs)) {
    const isOver = performance.now() - start > limitMs;
    const vain = hopeless?.(); // asked before the look: what ended may have done its work
    try {
      return await check(attempt);
    } catch (error) {
      if (fatal?.(error)) throw error;
      if (!isOver && vain === undefined) {
        pauseMs = everyMs ?? Math.min(2 * pauseMs, LONGEST_MS);
        continue;
      }
      const state = await describe?.();
      if (vain === undefined && state === undefined) throw error;
      throw new Error([vain, (error as Error).message, state].filter((text) => text !== undefined).join('\n'), { cause: error });
    }
  }
}

/** Asks until there is an answer that is neither undefined nor false; `what` is what was not seen when there is none. */
export function untilSo<Answer>(
  what: string, ask: () => Promise<Answer | undefined | false> | Answer | undefined | false, patience: Patience = {},
): Promise<Answer> {
  const { limitMs = LIMIT_MS, everyMs = ASK_MS } = patience;
  const notSeen = (why = ''): Error => new Error(`not seen in ${limitMs / 1000} s: ${what}${why}`);
  return until(async () => {
    let answer: Answer | undefined | false;
    try {
      answer = await ask();
    } catch (error) {
      if (patience.fatal?.(error)) throw error;
      throw notSeen(`: ${(error as Error).message}`);
    }
    if (answer === undefined || answer === false) throw notSeen();
    return answer;
  }, { ...patience, everyMs });
}

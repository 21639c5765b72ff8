import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again until there is an answer. Throws with the last failure, or with what `describe` finds,
 * after the limit, which is generous: tests do not time.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  { limitMs = 180_000, describe }: { limitMs?: number; describe?: () => Promise<string> } = {},
): Promise<T> {
  let failure = '';
  for (const start = Date.now(); Date.now() - start < limitMs; await sleep(250)) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      failure = '';
    } catch (error) {
      failure = `: ${(error as Error).message}`;
    }
  }
  const state = describe === undefined ? '' : `\n${await describe().catch(String)}`;
  throw new Error(`not seen in ${limitMs / 1000} s: ${what}${failure}${state}`);
}

/** Waiting for what another program does. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;
const LIMIT_MS = 30_000;

/** Repeats a check until it throws no more; after half a minute, what it threw last. */
export async function until<Result>(check: () => Promise<Result> | Result): Promise<Result> {
  for (const start = performance.now(); ; await sleep(POLL_MS)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() - start > LIMIT_MS) throw error;
    }
  }
}

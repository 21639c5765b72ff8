/** Waiting for what other programs do. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
/** What takes a second takes many on a machine where whole clusters of processes run. */
const LIMIT_MS = 60_000;

/** Repeats a check until it throws no more; after a minute, throws what it threw last. */
export async function until<Result>(check: () => Promise<Result> | Result): Promise<Result> {
  for (const start = performance.now(); ; await sleep(POLL_MS)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() - start > LIMIT_MS) throw error;
    }
  }
}

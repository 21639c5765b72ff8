import { setTimeout as sleep } from 'node:timers/promises';

/** What takes a second takes many on a machine where whole clusters of processes run. */
const LIMIT_MS = 60_000;
const PAUSE_MS = 50;

/** Waits until a check passes; throws what it threw last. */
export async function patiently<T>(check: () => Promise<T> | T): Promise<T> {
  for (const start = performance.now(); ; await sleep(PAUSE_MS)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() - start > LIMIT_MS) throw error;
    }
  }
}

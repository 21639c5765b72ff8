import { setTimeout as sleep } from 'node:timers/promises';

/** Rejects when a promise takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(Math.max(ms, 1), undefined, { signal: timer.signal }).then(() => { throw new Error('the serving process does not get ready'); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'winston';
import { messageOf } from '../famfs/errors.ts';
import { type PoolConfig, readPoolsFile } from './pool-config.ts';

/** What following a pools file needs. */
export interface FollowOptions {
  /** What the follower was started with. */
  readonly pools: readonly PoolConfig[];
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly pollMs: number;
}

/**
 * Calls back with each new content of a pools file, until the signal. A file that is away, or whose
 * content makes no sense, changes nothing: that is logged once, and the pools from before stay.
 */
export async function followPoolsFile(
  file: string, { pools, log, signal, pollMs }: FollowOptions, changed: (pools: readonly PoolConfig[]) => void,
): Promise<void> {
  let known = JSON.stringify(pools);
  let complaint = '';
  for (;;) {
    await delay(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const found = readPoolsFile(file);
      if (found.length === 0) throw new Error(`${file} names no pool`);
      complaint = '';
      if (JSON.stringify(found) === known) continue;
      known = JSON.stringify(found);
      log.info('pools file has changed', { file, pools: found.map(({ name, device }) => `${name}=${device}`) });
      changed(found);
    } catch (error) {
      const message = messageOf(error);
      if (message !== complaint) log.error('pools file not taken, the former pools stay', { file, reason: message });
      complaint = message;
    }
  }
}

import { FamfsError } from '../../errors.ts';
import type { SessionConfig } from '../serving/messages.ts';

/** Which pool a session is of, and which life of its log (see PoolIdentity): nobody goes on with it on another one. */
export interface ServedPool {
  readonly poolUuid: string;
  /** Empty where the pool had none; missing where an earlier version has not told. */
  readonly logLife?: string;
}

/** These fields of something larger, for a record. */
export function servedPool({ poolUuid, logLife }: ServedPool): ServedPool {
  return logLife === undefined ? { poolUuid } : { poolUuid, logLife };
}

/** Whether two are one. A log life that one of them does not know does not count: `adopt` gives one to a pool that has none. */
export function isSamePool(one: ServedPool, other: ServedPool): boolean {
  return one.poolUuid === other.poolUuid && (!one.logLife || !other.logLife || one.logLife === other.logLife);
}

/** Throws FamfsError REPLACED where a serving process has found another pool than the session is of. */
export function requireSamePool(config: SessionConfig, expected: ServedPool, found: ServedPool): void {
  if (!isSamePool(expected, found)) throw poolReplaced(config, expected);
}

/** The end of a session whose pool was formatted anew. */
export function poolReplaced({ device, directory }: SessionConfig, { poolUuid }: ServedPool): FamfsError {
  return new FamfsError('REPLACED', `${directory}: ${device} no longer holds the famfs ${poolUuid} that is mounted here: it was formatted anew; the session is over`);
}

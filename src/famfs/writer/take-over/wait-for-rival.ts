import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../../errors.ts';
import { uptimeMs } from '../../host.ts';
import type { ClaimRecord } from '../../log/claim-ring.ts';
import type { Pool } from '../../pool/pool.ts';
import { isKnownStopped, type WriterIdentity } from '../claim/claim.ts';

/** How long a writer that rules is waited for. */
export interface WaitOptions {
  readonly identity: WriterIdentity;
  /**
   * How long a rival's heartbeat must stand still before it is overruled. 0 (default) refuses at
   * once unless the rival is known to be stopped.
   */
  readonly waitMs?: number;
  /** Since when, in milliseconds of `uptimeMs`, the caller has seen a rival's record stand still, where it has watched. */
  readonly silentSince?: (rival: ClaimRecord) => number | undefined;
  readonly signal?: AbortSignal;
}

/** How a claim is taken. */
export interface AcquireOptions extends WaitOptions {
  /** The lease's own count: the epoch will be higher. */
  readonly epochFloor?: number;
  /** Throws where the claim must not be written after all; asked right before, after all waiting. */
  readonly mayWrite?: () => void;
  /** The operator's word that every former writer is stopped. */
  readonly assumeStopped?: boolean;
  /** Holders of claims that others know to be stopped. */
  readonly stopped?: ReadonlySet<string>;
  /** The caller zeroes all free memory, and so may finish what another left half done. */
  readonly willScrub?: boolean;
}

const WATCH_MS = 200;
/** More than two heartbeats. */
const LIFE_MS = 2500;

/**
 * Waits until the ruling writer may be overruled: at once when it is known to be stopped, else when
 * its record has not changed for `waitMs` on this host's clock. A foreign cluster's never is.
 * Throws FamfsError CLAIMED.
 */
export async function waitForRival(pool: Pool, options: WaitOptions, isStopped: (record: ClaimRecord) => boolean): Promise<void> {
  const { ring } = pool.replayer;
  const rival = ring.ruling();
  if (rival === undefined || isStopped(rival)) return;
  const { holder, clusterUuid } = rival.head;
  const waitMs = clusterUuid === options.identity.clusterUuid.toLowerCase() ? options.waitMs ?? 0 : 0;
  const since = options.silentSince?.(rival) ?? uptimeMs();
  for (;;) {
    const now = ring.ruling();
    if (now === undefined || isStopped(now)) return;
    const moved = now.head.epoch !== rival.head.epoch || now.head.holder !== holder || now.heartbeat !== rival.heartbeat;
    if (moved || waitMs === 0) {
      throw new FamfsError('CLAIMED', `${pool.memory.path}: ${now.head.holder} writes to this pool (epoch ${now.head.epoch}); ` +
        'stop it first, or say that it is stopped if it can no longer do so itself');
    }
    if (uptimeMs() - since >= waitMs) return;
    await sleep(WATCH_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Not even an operator's word lets a writer of another cluster be overruled whose heartbeat moves. */
export async function refuseLivingForeigner(pool: Pool, identity: WriterIdentity): Promise<void> {
  const { ring } = pool.replayer;
  const rival = ring.ruling();
  if (rival === undefined || rival.closed || rival.head.clusterUuid === identity.clusterUuid.toLowerCase()) return;
  if (isKnownStopped(rival, identity)) return;
  await sleep(LIFE_MS);
  const now = ring.ruling();
  if (now?.head.epoch !== rival.head.epoch || now.heartbeat !== rival.heartbeat) {
    throw new FamfsError('CLAIMED', `${pool.memory.path}: ${rival.head.holder} of another cluster is alive and writes to this pool`);
  }
}

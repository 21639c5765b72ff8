import type { V1Lease } from '@kubernetes/client-node';
import { annotation, EPOCHS_ANNOTATION } from './names.ts';

/** The longest that a record may make us wait, whatever somebody wrote into it. */
const LONGEST_MS = 60_000;

/** Who asks for a lease: a pod, and the process that runs in it. */
export interface LeaseHolder {
  /** The pod: the kubelet never runs two processes of one container of it at once. */
  readonly identity: string;
  readonly process: string;
}

/**
 * Judges from the outside when a lease may be taken over. A record counts as given up when this
 * observer has seen it unchanged for its whole duration, by the observer's own clock: no times of
 * different hosts are compared. A lease that was seen and is missing is waited for in the same way,
 * since its holder may not know yet that somebody deleted it.
 */
export class LeaseObserver {
  readonly #holder: LeaseHolder;
  readonly #durationMs: number;
  /** Milliseconds, monotonic, time asleep included. */
  readonly #clockMs: () => number;
  #seen: { readonly version: string; readonly sinceMs: number; readonly durationMs: number } | undefined;
  #epochs: ReadonlyMap<string, number> = new Map();

  constructor(holder: LeaseHolder, durationMs: number, clockMs: () => number) {
    this.#holder = holder;
    this.#durationMs = durationMs;
    this.#clockMs = clockMs;
  }

  /** The highest epochs seen so far, of which a lease that was deleted meanwhile says nothing. */
  get epochs(): ReadonlyMap<string, number> {
    return this.#epochs;
  }

  /** Whether the lease may be taken. `lease`: the record as it has just been read, undefined where there is none. */
  mayTake(lease: V1Lease | undefined): boolean {
    if (lease !== undefined) this.#epochs = mergeEpochs(this.#epochs, epochsIn(lease));
    const holder = lease?.spec?.holderIdentity;
    const isFree = lease === undefined ? this.#seen === undefined : !holder || holder === this.#holder.identity;
    const version = lease === undefined ? 'missing' : `${lease.metadata?.uid} ${lease.metadata?.resourceVersion}`;
    const nowMs = this.#clockMs();
    if (this.#seen?.version !== version) {
      const durationMs = lease === undefined ? this.#seen?.durationMs ?? 0 : durationMsOf(lease, this.#durationMs);
      if (!(lease === undefined && isFree)) this.#seen = { version, sinceMs: nowMs, durationMs };
    }
    return isFree || nowMs - this.#seen!.sinceMs >= this.#seen!.durationMs;
  }
}

/** The epochs in a lease, without what cannot be one. */
export function epochsIn(lease: V1Lease): Map<string, number> {
  const entries = Object.entries(annotation<Record<string, unknown>>(lease, EPOCHS_ANNOTATION) ?? {});
  return new Map(entries.filter((entry): entry is [string, number] => isEpoch(entry[1])));
}

/** Of each pool, the higher one: epochs never go back. */
export function mergeEpochs(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> {
  const merged = new Map(a);
  for (const [pool, epoch] of b) merged.set(pool, Math.max(epoch, merged.get(pool) ?? 0));
  return merged;
}

function isEpoch(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
}

function durationMsOf(lease: V1Lease, leastMs: number): number {
  return Math.min(LONGEST_MS, Math.max(leastMs, (lease.spec?.leaseDurationSeconds ?? 0) * 1000));
}

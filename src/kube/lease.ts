import { setTimeout as delay } from 'node:timers/promises';
import { V1MicroTime, type V1Lease, type V1LeaseSpec } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { uptimeMs } from '../famfs/host.ts';
import type { Lease } from '../state/interfaces.ts';
import { describeApiError, type KubeApi, statusOf, unlessMissing } from './client.ts';
import { epochsIn, type LeaseHolder, LeaseObserver, mergeEpochs } from './lease-observer.ts';
import { EPOCHS_ANNOTATION, type Names, PROCESS_ANNOTATION } from './names.ts';

/** How long others leave a record alone that does not change. */
const DURATION_SECONDS = 8;
/** The holder stops this long after it sent the last renewal that was confirmed: before others may begin. */
const HOLD_MS = 6_000;
const RENEW_MS = 2_000;
const RETRY_MS = 500;
const CHECK_MS = 250;
/** How long a call about the lease may take: two fit into the time that the lease is held without one. */
const CALL_MS = 2_500;

/** What a lease is asked for with. */
export interface LeaseOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly names: Names;
  readonly holder: LeaseHolder;
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

/**
 * The controller's lease as a Lease object. Its holder and those who wait each go by their own clock:
 * the holder counts from when it sent a renewal, the others from when they saw the record change. That
 * they see is later than that it was sent, and 8 s are more than 6 s: so the holder has stopped by the
 * time another begins. Example: a renewal is sent at 0 s and seen at 1 s, and the network fails. The
 * holder stops at 6 s, another begins at 9 s.
 */
export class KubernetesLease implements Lease {
  readonly lost: AbortSignal;
  readonly #options: LeaseOptions;
  readonly #losing = new AbortController();
  readonly #ending = new AbortController();
  readonly #watch: NodeJS.Timeout;
  readonly #acquireTime = new V1MicroTime();
  #object: V1Lease;
  /** When the last renewal was sent that the API server has confirmed. */
  #sentAtMs: number;
  #epochs: Map<string, number>;
  /** One write after the other. */
  #writing: Promise<unknown> = Promise.resolve();
  #problem = 'no renewal was answered';

  private constructor(options: LeaseOptions, object: V1Lease, sentAtMs: number) {
    this.#options = options;
    this.#object = object;
    this.#sentAtMs = sentAtMs;
    this.#epochs = epochsIn(object);
    this.lost = this.#losing.signal;
    this.#watch = setInterval(() => this.#check(), CHECK_MS).unref();
    this.#renewLoop().catch((error: unknown) => this.#lose(describeApiError(error)));
  }

  /** Waits for the lease, however long the API server cannot be reached. Rejects when `signal` aborts. */
  static async acquire(asked: LeaseOptions): Promise<KubernetesLease> {
    const options = { ...asked, api: asked.api.withCallTimeout(CALL_MS) };
    const { api, namespace, names, holder, log, signal } = options;
    const observer = new LeaseObserver(holder, DURATION_SECONDS * 1000, uptimeMs);
    const name = names.controllerLease;
    for (let logged = ''; ; ) {
      try {
        const found = await unlessMissing(api.coordination.readNamespacedLease({ name, namespace }));
        const sentAtMs = uptimeMs();
        if (observer.mayTake(found)) {
          const body = leaseBody(options, found, takenSpec(holder, found), observer.epochs);
          const object = await write(options, body);
          const lease = new KubernetesLease(options, object, sentAtMs);
          if (!signal?.aborted) return lease;
          await lease.release();
        }
      } catch (error) {
        const problem = describeApiError(error);
        if (statusOf(error) !== 409 && problem !== logged) log.warn('the lease cannot be asked for', { lease: name, problem });
        logged = problem;
      }
      await delay(RETRY_MS, undefined, signal === undefined ? {} : { signal });
    }
  }

  get epoch(): number {
    return Math.max(0, ...this.#epochs.values());
  }

  epochOf(pool: string): number {
    return this.#epochs.get(pool) ?? 0;
  }

  mustHold(): void {
    this.#check();
    this.lost.throwIfAborted();
    if (this.#ending.signal.aborted) throw new Error('the lease was given back');
  }

  async raise(pool: string, epoch: number): Promise<void> {
    this.mustHold();
    if (epoch > this.epochOf(pool)) this.#epochs.set(pool, epoch);
    while ((epochsIn(this.#object).get(pool) ?? 0) < epoch) {
      if (!await this.#renew()) await delay(RETRY_MS, undefined, { ref: false });
      this.mustHold();
    }
  }

  async release(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    clearInterval(this.#watch);
    await this.#writing;
    if (this.lost.aborted) return;
    const spec = { leaseDurationSeconds: 1, leaseTransitions: this.#object.spec?.leaseTransitions ?? 0, renewTime: new V1MicroTime() };
    await write(this.#options, leaseBody(this.#options, this.#object, spec, this.#epochs)).catch((error: unknown) => {
      this.#options.log.warn('the lease was not given back, others wait until it has expired', { problem: describeApiError(error) });
    });
  }

  /** Renews the lease until it is lost or given back. */
  async #renewLoop(): Promise<void> {
    const { signal } = this.#ending;
    for (let pause = RENEW_MS; !signal.aborted && !this.lost.aborted;) {
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
      pause = signal.aborted || await this.#renew() ? RENEW_MS : RETRY_MS;
    }
  }

  /** Renews once, after what is being written already; false when that did not succeed. */
  #renew(): Promise<boolean> {
    const turn = this.#writing.then(() => this.#write());
    this.#writing = turn;
    return turn;
  }

  async #write(): Promise<boolean> {
    this.#check(); // a process that was paused must not renew what is no longer its own
    if (this.lost.aborted || this.#ending.signal.aborted) return false;
    const sentAtMs = uptimeMs();
    try {
      this.#object = await write(this.#options, leaseBody(this.#options, this.#object, this.#heldSpec(), this.#epochs));
      this.#sentAtMs = sentAtMs;
      return true;
    } catch (error) {
      this.#problem = describeApiError(error);
      this.#options.log.warn('the lease was not renewed', { problem: this.#problem });
      const status = statusOf(error);
      return (status === 409 || status === 404) && await this.#lookAgain();
    }
  }

  /** After somebody changed or deleted the record: finds out whose it is now. True when it could be renewed. */
  async #lookAgain(): Promise<boolean> {
    const { api, namespace, names, holder } = this.#options;
    try {
      const sentAtMs = uptimeMs();
      const found = await unlessMissing(api.coordination.readNamespacedLease({ name: names.controllerLease, namespace }));
      if (found !== undefined && !isHeldBy(found, holder)) {
        this.#lose(`${found.spec?.holderIdentity || 'nobody'} holds it now`);
        return false;
      }
      if (found !== undefined) this.#epochs = mergeEpochs(this.#epochs, epochsIn(found));
      this.#object = await write(this.#options, leaseBody(this.#options, found, this.#heldSpec(), this.#epochs));
      this.#sentAtMs = sentAtMs;
      return true;
    } catch (error) {
      this.#problem = describeApiError(error);
      return false;
    }
  }

  #heldSpec(): V1LeaseSpec {
    return heldSpec(this.#options.holder, this.#acquireTime, this.#object.spec?.leaseTransitions ?? 0);
  }

  #check(): void {
    const silentMs = uptimeMs() - this.#sentAtMs;
    if (silentMs >= HOLD_MS) this.#lose(`it could not be renewed for ${Math.floor(silentMs / 1000)} s: ${this.#problem}`);
  }

  #lose(reason: string): void {
    if (this.lost.aborted || this.#ending.signal.aborted) return;
    clearInterval(this.#watch);
    this.#losing.abort(new Error(`the lease is lost: ${reason}`));
  }
}

/** Replaces the record that was read, or makes one where there was none. */
function write({ api, namespace, names }: LeaseOptions, body: V1Lease): Promise<V1Lease> {
  if (body.metadata?.resourceVersion === undefined) return api.coordination.createNamespacedLease({ namespace, body });
  return api.coordination.replaceNamespacedLease({ name: names.controllerLease, namespace, body });
}

/** The record as it is to be. What others wrote beside ours stays. */
function leaseBody({ names, namespace, holder }: LeaseOptions, found: V1Lease | undefined, spec: V1LeaseSpec, epochs: ReadonlyMap<string, number>): V1Lease {
  const metadata = { ...found?.metadata };
  delete metadata.managedFields;
  const annotations: Record<string, string> = { ...metadata.annotations, [EPOCHS_ANNOTATION]: JSON.stringify(Object.fromEntries(epochs)) };
  if (spec.holderIdentity === undefined) delete annotations[PROCESS_ANNOTATION];
  else annotations[PROCESS_ANNOTATION] = holder.process;
  return {
    metadata: { ...metadata, name: names.controllerLease, namespace, labels: { ...metadata.labels, ...names.labels('controller') }, annotations },
    spec,
  };
}

function takenSpec(holder: LeaseHolder, found: V1Lease | undefined): V1LeaseSpec {
  return heldSpec(holder, new V1MicroTime(), found === undefined ? 0 : (found.spec?.leaseTransitions ?? 0) + 1);
}

function heldSpec({ identity }: LeaseHolder, acquireTime: V1MicroTime, leaseTransitions: number): V1LeaseSpec {
  return { holderIdentity: identity, leaseDurationSeconds: DURATION_SECONDS, acquireTime, renewTime: new V1MicroTime(), leaseTransitions };
}

/** Whether this very process holds it; an annotation that somebody removed proves nothing. */
function isHeldBy(lease: V1Lease, holder: LeaseHolder): boolean {
  const process = lease.metadata?.annotations?.[PROCESS_ANNOTATION];
  return lease.spec?.holderIdentity === holder.identity && (process === undefined || process === holder.process);
}

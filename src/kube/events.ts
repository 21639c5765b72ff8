import { randomBytes } from 'node:crypto';
import { PatchStrategy, setHeaderOptions, type V1ObjectReference } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { describeApiError, type KubeApi, statusOf } from './client.ts';

/** How long the same event of the same object is not recorded again. */
const REPEAT_MS = 300_000;
/** Events that wait to be written; more are dropped, as they are only a help. */
const QUEUE = 200;
/** Events remembered to count repetitions. */
const REMEMBERED = 2_000;
const MESSAGE_MAX = 1024;
const OBJECT_NAME_MAX = 220;

/** What an event says about an object. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, for machines. */
  readonly reason: string;
  readonly message: string;
}

/** Who reports an event. */
export interface EventSource {
  readonly component: string;
  readonly host: string;
  readonly instance: string;
}

interface Recorded {
  readonly name: string;
  count: number;
  at: number;
}

/** Writes Events, in order and in the background. What is repeated counts up the event that there is. */
export class EventRecorder {
  readonly #api: KubeApi;
  readonly #source: EventSource;
  readonly #log: Logger;
  readonly #repeatMs: number;
  readonly #recorded = new Map<string, Recorded>();
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(api: KubeApi, source: EventSource, log: Logger, repeatMs = REPEAT_MS) {
    this.#repeatMs = repeatMs;
    this.#api = api;
    this.#source = source;
    this.#log = log;
  }

  /** Records an event, unless the same one was recorded a moment ago. Never throws, never waits. */
  record(object: V1ObjectReference, text: EventText): void {
    const key = JSON.stringify([object.uid, text.type, text.reason, text.message]);
    const before = this.#recorded.get(key);
    const now = performance.now();
    if ((before !== undefined && now - before.at < this.#repeatMs) || this.#waiting >= QUEUE) return;
    const next = before ?? { name: eventName(object), count: 0, at: now };
    next.at = now;
    next.count++;
    this.#remember(key, next);
    this.#waiting++;
    this.#queue = this.#queue.then(() => this.#write(object, text, next)).finally(() => this.#waiting--);
  }

  /** Waits until everything recorded so far is written, or has failed. */
  async flush(): Promise<void> {
    await this.#queue;
  }

  async #write(object: V1ObjectReference, text: EventText, recorded: Recorded): Promise<void> {
    try {
      if (recorded.count === 1 || !await this.#countUp(object, recorded)) await this.#create(object, text, recorded);
    } catch (error) {
      this.#log.warn('an event was not written', { reason: text.reason, object: `${object.kind} ${object.name}`, problem: describeApiError(error) });
    }
  }

  /** False when the event has expired meanwhile. */
  async #countUp(object: V1ObjectReference, { name, count }: Recorded): Promise<boolean> {
    try {
      await this.#api.core.patchNamespacedEvent(
        { name, namespace: namespaceOf(object), body: { count, lastTimestamp: new Date().toISOString() } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  async #create(object: V1ObjectReference, { type, reason, message }: EventText, { name, count }: Recorded): Promise<void> {
    const { component, host, instance } = this.#source;
    const now = new Date();
    const namespace = namespaceOf(object);
    await this.#api.core.createNamespacedEvent({
      namespace,
      body: {
        metadata: { name, namespace },
        involvedObject: object, type, reason, message: cut(message),
        source: { component, host }, reportingComponent: component, reportingInstance: instance.slice(0, 128),
        firstTimestamp: now, lastTimestamp: now, count,
      },
    });
  }

  #remember(key: string, recorded: Recorded): void {
    this.#recorded.delete(key);
    this.#recorded.set(key, recorded);
    if (this.#recorded.size > REMEMBERED) this.#recorded.delete(this.#recorded.keys().next().value!);
  }
}

/** Events of objects without a namespace belong to this one, as the API server wants it. */
function namespaceOf(object: V1ObjectReference): string {
  return object.namespace ?? 'default';
}

function eventName(object: V1ObjectReference): string {
  return `${(object.name ?? '').slice(0, OBJECT_NAME_MAX).replace(/[^a-z0-9]+$/, '')}.${randomBytes(8).toString('hex')}`;
}

function cut(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX - 1)}…`;
}

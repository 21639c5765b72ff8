import type { V1Lease } from '@kubernetes/client-node';
import type { Versioned } from '../state/interfaces.ts';
import { type KubeApi, listAll, orUnavailable, statusOf, unlessMissing } from './client.ts';
import { annotation, type Names, RECORD_ANNOTATION, type RecordKind } from './names.ts';

/** What a Lease carries besides its record. */
export interface LeaseMarks {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A record, and the Lease that it was read from. */
export interface LeaseRecord<Value> extends Versioned<Value> {
  readonly lease: V1Lease;
}

/** When a Lease without its record may go. */
const WITHOUT_RECORD: Readonly<Record<RecordKind, string>> = {
  controller: 'no controller runs', attachment: 'nothing is attached by it', member: 'nothing is mounted by it',
  pool: 'the pool is where the configuration says',
};

/** Small records of one namespace, each the annotation of a Lease of its own. */
export class LeaseRecords<Value> {
  readonly namespace: string;
  readonly #api: KubeApi;
  readonly #names: Names;
  readonly #kind: RecordKind;

  constructor(api: KubeApi, namespace: string, names: Names, kind: RecordKind) {
    this.#api = api;
    this.namespace = namespace;
    this.#names = names;
    this.#kind = kind;
  }

  /** Throws where the Lease holds no record: whatever somebody made of it, it is not "nothing". */
  async get(name: string): Promise<LeaseRecord<Value> | undefined> {
    const lease = await orUnavailable(unlessMissing(this.#api.coordination.readNamespacedLease({ name, namespace: this.namespace })));
    return lease && { value: this.#valueOf(lease), version: versionOf(lease), lease };
  }

  /** Makes a record. False where there is one already. */
  create(name: string, value: Value, marks: LeaseMarks = {}): Promise<boolean> {
    const body = { metadata: this.#metadata(name, value, marks) };
    return unlessChanged(this.#api.coordination.createNamespacedLease({ namespace: this.namespace, body }));
  }

  /** Replaces a record that still has this version. */
  replace(name: string, value: Value, version: string, marks: LeaseMarks = {}): Promise<boolean> {
    const { uid, resourceVersion } = parse(version);
    const body = { metadata: { ...this.#metadata(name, value, marks), uid, resourceVersion } };
    return unlessChanged(this.#api.coordination.replaceNamespacedLease({ name, namespace: this.namespace, body }));
  }

  /** Deletes a record, if it still has this version where one is given. */
  delete(name: string, version?: string): Promise<boolean> {
    const body = version === undefined ? {} : { preconditions: parse(version) };
    return unlessChanged(this.#api.coordination.deleteNamespacedLease({ name, namespace: this.namespace, body }));
  }

  /** All records. Throws where a Lease holds none. */
  async list(): Promise<Value[]> {
    return (await this.leases()).map((lease) => this.#valueOf(lease));
  }

  /** The Leases of all records, whatever they hold. */
  leases(): Promise<V1Lease[]> {
    const { namespace } = this;
    const labelSelector = this.#names.selector(this.#kind);
    return orUnavailable(listAll<V1Lease>((page) => this.#api.coordination.listNamespacedLease({ namespace, labelSelector, ...page })));
  }

  #valueOf(lease: V1Lease): Value {
    const value = annotation<Value>(lease, RECORD_ANNOTATION);
    if (typeof value !== 'object' || value === null) {
      const name = `${this.namespace}/${lease.metadata?.name}`;
      throw new Error(`Lease ${name} holds no record in its annotation ${RECORD_ANNOTATION}: restore it, or delete the Lease if ${WITHOUT_RECORD[this.#kind]}`);
    }
    return value;
  }

  #metadata(name: string, value: Value, { labels, annotations }: LeaseMarks) {
    return {
      name, namespace: this.namespace,
      labels: { ...this.#names.labels(this.#kind), ...labels },
      annotations: { ...annotations, [RECORD_ANNOTATION]: JSON.stringify(value) },
    };
  }
}

/** UID and version of a Lease, as text that `replace` and `delete` take. */
export function versionOf({ metadata }: V1Lease): string {
  return `${metadata!.uid} ${metadata!.resourceVersion}`;
}

/** False where somebody else was faster: the object has changed, came to be, or is gone. */
function unlessChanged(call: Promise<unknown>): Promise<boolean> {
  return orUnavailable(call.then(() => true, (error: unknown) => {
    const status = statusOf(error);
    if (status === 409 || status === 404) return false;
    throw error;
  }));
}

function parse(version: string): { uid: string; resourceVersion: string } {
  const [uid, resourceVersion] = version.split(' ') as [string, string];
  return { uid, resourceVersion };
}

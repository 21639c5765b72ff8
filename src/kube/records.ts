import { setTimeout as delay } from 'node:timers/promises';
import type { V1Node } from '@kubernetes/client-node';
import { hostPart } from '../famfs/writer/claim/writer-lock.ts';
import { readAttachRecord, storedAttachRecord, type StoredAttachRecord } from '../state/attach-record-format.ts';
import type { Attachments, AttachRecord, Hosts, Nodes, PoolName, PoolNames, Versioned } from '../state/interfaces.ts';
import { type KubeApi, listSelected, orUnavailable, unlessMissing } from './client.ts';
import { LeaseRecords } from './lease-records.ts';
import type { Names } from './names.ts';

/** By which an operator says that a node is off, and stays so until the taint is removed. */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
/** A node's object may still tell of the boot before: the kubelet says which one it is within seconds of its start. */
const OTHER_BOOT_MS = 60_000;
/** How long a node plugin that registers again may be missing from its node: a second or two, more on a busy one. */
const REGISTERING_TRIES = 20;
const REGISTERING_POLL_MS = 500;

/** Attach records: one Lease per attached directory. */
export class KubernetesAttachments implements Attachments {
  readonly #records: LeaseRecords<StoredAttachRecord>;
  readonly #names: Names;

  constructor(api: KubeApi, namespace: string, names: Names) {
    this.#records = new LeaseRecords(api, namespace, names, 'attachment');
    this.#names = names;
  }

  async get(directory: string): Promise<Versioned<AttachRecord> | undefined> {
    const found = await this.#records.get(this.#names.attachment(directory));
    return found && { value: readAttachRecord(found.value), version: found.version };
  }

  async replace(record: AttachRecord, version: string | undefined): Promise<boolean> {
    const name = this.#names.attachment(record.directory);
    const value = storedAttachRecord(record);
    const isEmpty = record.attachments.length === 0;
    if (version === undefined) return isEmpty ? await this.#records.get(name) === undefined : this.#records.create(name, value);
    // A controller that lost the lease meanwhile must not undo what its successor has written.
    const current = await this.#records.get(name);
    if (current?.version !== version || current.value.epoch > record.epoch) return false;
    return isEmpty ? this.#records.delete(name, version) : this.#records.replace(name, value, version);
  }

  async list(): Promise<AttachRecord[]> {
    return (await this.#records.list()).map(readAttachRecord);
  }
}

/** What the names of pools are: one Lease each. */
export class KubernetesPoolNames implements PoolNames {
  readonly #records: LeaseRecords<PoolName>;
  readonly #names: Names;

  constructor(api: KubeApi, namespace: string, names: Names) {
    this.#records = new LeaseRecords(api, namespace, names, 'pool');
    this.#names = names;
  }

  list(): Promise<PoolName[]> {
    return this.#records.list();
  }

  async put(record: PoolName): Promise<void> {
    const name = this.#names.pool(record.name);
    const current = await this.#records.get(name);
    const done = current === undefined ? await this.#records.create(name, record) : await this.#records.replace(name, record, current.version);
    if (!done) throw new Error(`somebody else has just written what pool ${record.name} is: two controllers have the same driver name`);
  }

  async forget(name: string): Promise<void> {
    await this.#records.delete(this.#names.pool(name));
  }
}

/** The nodes of the cluster as hosts: by their boot id, and by the operator's taint that says a node is off. */
export class KubernetesHosts implements Hosts {
  readonly #api: KubeApi;
  readonly #bootMs: number;
  /** Since when another boot of a host has been seen. */
  readonly #otherBoots = new Map<string, number>();

  /** `bootMs`: how long another boot id has to be seen. */
  constructor(api: KubeApi, bootMs = OTHER_BOOT_MS) {
    this.#api = api;
    this.#bootMs = bootMs;
  }

  async whyGone(host: string, bootId: string): Promise<string | undefined> {
    const node = await this.#find(host);
    if (node?.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return `node ${host} has the taint ${OUT_OF_SERVICE}`;
    const now = node?.status?.nodeInfo?.bootID;
    const boots = `${host} ${bootId} ${now}`;
    if (now === undefined || now === '' || now === bootId) {
      this.#otherBoots.delete(boots);
      return undefined;
    }
    const since = this.#otherBoots.get(boots) ?? performance.now();
    this.#otherBoots.set(boots, since);
    return performance.now() - since >= this.#bootMs ? `node ${host} has booted since` : undefined;
  }

  /** A host by its name, or by the shortened one that a writer of it has. */
  async #find(host: string): Promise<V1Node | undefined> {
    if (!host.includes('~')) return orUnavailable(unlessMissing(this.#api.core.readNode({ name: host })));
    const [found] = await orUnavailable(listSelected((page) => this.#api.core.listNode(page), (nodes) => nodes.filter(({ metadata }) => hostPart(metadata!.name!) === host)));
    return found;
  }
}

/** The nodes of the cluster as the kubelet keeps them: one CSINode each, naming the drivers of its node. */
export class KubernetesNodes implements Nodes {
  readonly #api: KubeApi;
  readonly #driver: string;

  constructor(api: KubeApi, driver: string) {
    this.#api = api;
    this.#driver = driver;
  }

  /** The kubelet has done it: the node plugin registers with it. */
  async announce(): Promise<void> {}

  /** Takes a node that is about to register again (its pools have changed) for one that has the driver. */
  async has(node: string): Promise<boolean> {
    for (let tries = REGISTERING_TRIES; ; tries--) {
      const found = await orUnavailable(unlessMissing(this.#api.storage.readCSINode({ name: node })));
      if (found === undefined) return false;
      if (found.spec.drivers?.some(({ name }) => name === this.#driver)) return true;
      if (tries === 0) return false;
      await delay(REGISTERING_POLL_MS);
    }
  }
}

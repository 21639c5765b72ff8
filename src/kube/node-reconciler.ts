import { PatchStrategy, setHeaderOptions, type V1CSINode, type V1Node } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { describeApiError, type KubeApi, statusOf, unlessMissing } from './client.ts';
import { watchObjects } from './informer.ts';
import type { Names } from './names.ts';
import { ReconcileLoop } from './reconcile-loop.ts';

const EVERY_MS = 15_000;
/** The kubelet labels a node before it lists the key in the CSINode: what is younger may be that. */
const STALE_MS = 12_000;
/** A node plugin that is gone for longer does not come back by itself; when it does, the kubelet labels the node again. */
const ABSENT_MS = 600_000;

/**
 * Keeps taints and labels of the nodes as they should be: takes away the start-up taint once the node
 * plugin is there, and the label of a pool that the node has lost, or of all where the plugin stays
 * away. The kubelet only adds labels.
 */
export class NodeReconciler {
  readonly #api: KubeApi;
  readonly #names: Names;
  readonly #log: Logger;
  readonly #absentMs: number;
  /** Since when a label of a node has been seen without a topology key, by node and label. */
  #withoutKeySince = new Map<string, number>();

  constructor(api: KubeApi, names: Names, log: Logger, absentMs = ABSENT_MS) {
    this.#api = api;
    this.#names = names;
    this.#log = log;
    this.#absentMs = absentMs;
  }

  start(signal: AbortSignal): void {
    const pass = async () => {
      const before = this.#withoutKeySince;
      this.#withoutKeySince = new Map();
      for (const node of nodes.list()) {
        const keys = keysOf(csiNodes.get(node.metadata!.name!), this.#names.driver);
        try {
          if (keys !== undefined) await this.#untaint(node);
          await this.#dropLabels(node, keys, before);
        } catch (error) { // of this node alone, such as one that admission lets nobody change
          this.#log.warn('a node could not be looked after', { node: node.metadata!.name, problem: describeApiError(error) });
        }
      }
    };
    const loop = new ReconcileLoop(EVERY_MS, pass, this.#log, signal);
    const changed = () => loop.trigger();
    const csiNodes = watchObjects<V1CSINode>(this.#api, {
      path: '/apis/storage.k8s.io/v1/csinodes', list: (page) => this.#api.storage.listCSINode(page),
    }, changed, this.#log, signal);
    const nodes = watchObjects<V1Node>(this.#api, {
      path: '/api/v1/nodes', list: (page) => this.#api.core.listNode(page),
    }, changed, this.#log, signal);
  }

  async #untaint(node: V1Node): Promise<void> {
    const taints = node.spec?.taints ?? [];
    const left = taints.filter(({ key }) => key !== this.#names.startupTaint);
    if (left.length === taints.length) return;
    const done = await this.#patch(node, { spec: { taints: left } });
    if (done) this.#log.info('start-up taint removed', { node: node.metadata!.name });
  }

  /** `keys`: undefined where the driver is not registered. */
  async #dropLabels(node: V1Node, keys: readonly string[] | undefined, before: ReadonlyMap<string, number>): Promise<void> {
    const name = node.metadata!.name!;
    const now = performance.now();
    const graceMs = keys === undefined ? this.#absentMs : STALE_MS;
    const stale: string[] = [];
    for (const label of labelsWithoutKey(node, keys ?? [], this.#names)) {
      const key = `${name} ${label} ${keys === undefined}`;
      const since = before.get(key) ?? now;
      this.#withoutKeySince.set(key, since);
      if (now - since >= graceMs) stale.push(label);
    }
    if (stale.length === 0) return;
    const fresh = keysOf(await unlessMissing(this.#api.storage.readCSINode({ name })), this.#names.driver);
    if ((fresh === undefined) !== (keys === undefined)) return; // the next pass judges anew
    const gone = stale.filter((label) => !fresh?.includes(label));
    if (gone.length === 0) return;
    const done = await this.#patch(node, { metadata: { labels: Object.fromEntries(gone.map((label) => [label, null])) } });
    if (done) this.#log.info('labels of lost pools removed', { node: name, labels: gone });
  }

  /** Changes a node if it is still as it was seen. */
  async #patch(node: V1Node, change: { metadata?: object; spec?: object }): Promise<boolean> {
    const { name, resourceVersion } = node.metadata!;
    const body = { ...change, metadata: { ...change.metadata, resourceVersion } };
    try {
      await this.#api.core.patchNode({ name: name!, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
      return true;
    } catch (error) {
      const status = statusOf(error);
      if (status === 409 || status === 404) return false; // the next pass sees what it is now
      throw error;
    }
  }
}

/** The topology keys of our driver on a node, or undefined where it is not registered. */
function keysOf(csiNode: V1CSINode | undefined, driver: string): readonly string[] | undefined {
  const found = csiNode?.spec.drivers?.find(({ name }) => name === driver);
  return found && (found.topologyKeys ?? []);
}

/** Labels that say a node reaches a pool, of which its driver says nothing. */
export function labelsWithoutKey(node: V1Node, keys: readonly string[], names: Names): string[] {
  return Object.keys(node.metadata?.labels ?? {}).filter((label) => label.startsWith(names.poolLabel) && !keys.includes(label));
}

import { PatchStrategy, setHeaderOptions, type V1CSINode, type V1Node } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { problemOf, statusOf, unlessMissing, type KubeApi } from './client.ts';
import { watchObjects } from './informer.ts';
import type { Names } from './names.ts';
import { Passes } from './passes.ts';

const EVERY_MS = 15_000;
/** The kubelet labels a node before it lists the key in the CSINode: what is younger may be that. */
const STALE_MS = 12_000;

/**
 * Looks after the nodes: takes away the start-up taint once the node plugin is there, and the label
 * of a pool that the node has lost. The kubelet adds labels, and never removes one.
 */
export class NodeCare {
  readonly #api: KubeApi;
  readonly #names: Names;
  readonly #log: Logger;
  /** Since when a label of a node has been seen without a key, by node and label. */
  #doubts = new Map<string, number>();

  constructor(api: KubeApi, names: Names, log: Logger) {
    this.#api = api;
    this.#names = names;
    this.#log = log;
  }

  start(signal: AbortSignal): void {
    const pass = async () => {
      const doubts = this.#doubts;
      this.#doubts = new Map();
      for (const csiNode of csiNodes.list()) {
        const node = nodes.get(csiNode.metadata!.name!);
        if (node === undefined || keysOf(csiNode, this.#names.driver) === undefined) continue;
        try {
          await this.#untaint(node);
          await this.#dropLabels(node, csiNode, doubts);
        } catch (error) { // of this node alone, such as one that admission lets nobody change
          this.#log.warn('a node could not be looked after', { node: node.metadata!.name, problem: problemOf(error) });
        }
      }
    };
    const passes = new Passes(EVERY_MS, pass, this.#log, signal);
    const soon = () => passes.soon();
    const csiNodes = watchObjects<V1CSINode>(this.#api, {
      path: '/apis/storage.k8s.io/v1/csinodes', list: (page) => this.#api.storage.listCSINode(page),
    }, soon, this.#log, signal);
    const nodes = watchObjects<V1Node>(this.#api, {
      path: '/api/v1/nodes', list: (page) => this.#api.core.listNode(page),
    }, soon, this.#log, signal);
  }

  async #untaint(node: V1Node): Promise<void> {
    const taints = node.spec?.taints ?? [];
    const left = taints.filter(({ key }) => key !== this.#names.startupTaint);
    if (left.length === taints.length) return;
    const done = await this.#patch(node, { spec: { taints: left } });
    if (done) this.#log.info('start-up taint removed', { node: node.metadata!.name });
  }

  async #dropLabels(node: V1Node, csiNode: V1CSINode, doubts: ReadonlyMap<string, number>): Promise<void> {
    const name = node.metadata!.name!;
    const now = performance.now();
    const stale: string[] = [];
    for (const label of labelsWithoutKey(node, keysOf(csiNode, this.#names.driver)!, this.#names)) {
      const since = doubts.get(`${name} ${label}`) ?? now;
      this.#doubts.set(`${name} ${label}`, since);
      if (now - since >= STALE_MS) stale.push(label);
    }
    if (stale.length === 0) return;
    const fresh = await unlessMissing(this.#api.storage.readCSINode({ name }));
    const keys = fresh && keysOf(fresh, this.#names.driver);
    const gone = keys === undefined ? [] : stale.filter((label) => !keys.includes(label));
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
function keysOf(csiNode: V1CSINode, driver: string): readonly string[] | undefined {
  const found = csiNode.spec.drivers?.find(({ name }) => name === driver);
  return found && (found.topologyKeys ?? []);
}

/** Labels that say a node reaches a pool, of which its driver says nothing. */
export function labelsWithoutKey(node: V1Node, keys: readonly string[], names: Names): string[] {
  return Object.keys(node.metadata?.labels ?? {}).filter((label) => label.startsWith(names.poolLabel) && !keys.includes(label));
}

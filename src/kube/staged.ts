import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { type KubeApi, listAll, orUnavailable } from './client.ts';

const POLL_MS = 1_000;
/** How long the kubelet may take to unstage what its last pod has used. */
const UNSTAGING_MS = 30_000;
const ASK_MS = 2_000;
const STAGED = /^famfs_node_staged_volumes(?:\{[^}]*\})? (\d+)/m;

/** The node plugins to ask: the labels of their pods, and the port of their metrics. */
export interface NodePlugins {
  readonly namespace: string;
  readonly selector: string;
  readonly port: number;
}

/**
 * Waits until no node plugin has anything staged; answers the nodes that still have, in words. The
 * API does not know what is staged where nothing is attached. A plugin that does not answer says
 * nothing: its node may be gone for good, and must not keep a release from going.
 */
export async function stagedOnNodes(api: KubeApi, { namespace, selector, port }: NodePlugins): Promise<string[]> {
  for (const start = performance.now(); ; await delay(POLL_MS)) {
    const pods = await orUnavailable(listAll((page) => api.core.listNamespacedPod({ namespace, labelSelector: selector, ...page })));
    const counts = await Promise.all(pods.map((pod) => stagedVolumes(pod, port)));
    const busy = pods.flatMap((pod, at) => (counts[at] > 0 ? [`node ${pod.spec?.nodeName} has ${counts[at]} volumes staged`] : []));
    if (busy.length === 0 || performance.now() - start > UNSTAGING_MS) return busy;
  }
}

async function stagedVolumes({ status }: V1Pod, port: number): Promise<number> {
  const address = status?.podIP;
  if (address === undefined) return 0;
  const host = address.includes(':') ? `[${address}]` : address;
  try {
    const response = await fetch(`http://${host}:${port}/metrics`, { signal: AbortSignal.timeout(ASK_MS) });
    return Number(STAGED.exec(await response.text())?.[1] ?? 0);
  } catch {
    return 0;
  }
}

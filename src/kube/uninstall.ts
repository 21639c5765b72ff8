import { setTimeout as delay } from 'node:timers/promises';
import { PatchStrategy, setHeaderOptions, type V1Lease, type V1Node } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { describeApiError, KubeApi, listAll, listSelected, orUnavailable, unlessMissing } from './client.ts';
import { eventSource, ownPod, podReference } from './cluster.ts';
import { EventRecorder } from './events.ts';
import { memberOf } from './members.ts';
import { isSign } from './members-sign.ts';
import { defaultMembersNamespace, KIND_LABEL, Names } from './names.ts';
import { type NodePlugins, stagedOnNodes } from './staged.ts';
import { describeUse, volumesInUse } from './volume-uses.ts';

const POLL_MS = 1_000;
/** How long to wait for pods that are ending. */
const PODS_MS = 60_000;
/** Volumes named in one event, which has room for a thousand characters. */
const NAMED = 5;

/** What an uninstallation is about. */
export interface UninstallOptions {
  readonly namespace: string;
  /** Where members' Leases are; default: named after the release's namespace. */
  readonly membersNamespace?: string;
  readonly driver: string;
  readonly log: Logger;
  readonly api?: KubeApi;
}

/**
 * The volumes of the driver that are in use, in words; told as an event of this pod too. While there
 * are any, the driver must stay: nobody could unmount them afterwards.
 */
export async function findUses(
  { namespace, driver, log, api = KubeApi.connect(), plugins }: UninstallOptions & { readonly plugins?: NodePlugins },
): Promise<string[]> {
  const attached = (await orUnavailable(volumesInUse(api, namespace, new Names(driver)))).map(describeUse);
  const uses = attached.length > 0 || plugins === undefined ? attached : await stagedOnNodes(api, plugins);
  if (uses.length === 0) return [];
  const pod = ownPod(namespace);
  const events = new EventRecorder(api, eventSource(driver, pod), log);
  const more = uses.length > NAMED ? `; and ${uses.length - NAMED} more` : '';
  const message = `${driver} cannot be uninstalled: ${uses.slice(0, NAMED).join('; ')}${more}`;
  events.record(podReference(pod), { type: 'Warning', reason: 'VolumesInUse', message });
  await events.flush();
  return uses;
}

/** What a clean-up did, and what it could not do. */
export interface CleanUp {
  readonly done: readonly string[];
  readonly left: readonly string[];
  /** What stays on purpose: members that did not leave, as memory waits for them. */
  readonly kept: readonly string[];
}

/**
 * Removes what a release leaves in the API once its pods have ended: our Leases, and the labels of
 * nodes. Volumes and their data stay. `selector` chooses the release's pods.
 */
export async function cleanUp(options: UninstallOptions & { readonly selector?: string }): Promise<CleanUp> {
  const { namespace, membersNamespace = defaultMembersNamespace(namespace), driver, api = KubeApi.connect(), selector } = options;
  const names = new Names(driver);
  const done: string[] = [];
  const left: string[] = [];
  const kept: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>) => {
    await work().then(() => done.push(what), (error: unknown) => left.push(`${what}: ${describeApiError(error)}`));
  };
  const pods = selector === undefined ? [] : await untilEnded(api, namespace, selector);
  left.push(...pods.map((name) => `pod ${name} still runs and may write its Leases again`));
  // Their data planes may not have left by themselves: helm takes their rights away before they end.
  const ended = selector === undefined || pods.length > 0 ? new Set<string>() : await readyNodes(api);
  const leasesIn = (place: string) => orUnavailable(listAll<V1Lease>((page) =>
    api.coordination.listNamespacedLease({ namespace: place, labelSelector: names.selector(), ...page })));
  for (const lease of [...await leasesIn(membersNamespace), ...signLast(await leasesIn(namespace), names)]) {
    const { name, namespace: place } = lease.metadata!;
    const why = whyKept(lease, names, { ended, isLabelled: place === membersNamespace, keepsMembers: kept.length > 0 });
    if (why !== undefined) kept.push(`Lease ${name}: ${why}`);
    else await attempt(`Lease ${name}`, () => unlessMissing(api.coordination.deleteNamespacedLease({ name: name!, namespace: place! })));
  }
  const nodes = await orUnavailable(listSelected((page) => api.core.listNode(page), (found) =>
    found.map((node) => ({ name: node.metadata!.name!, labels: poolLabels(node, names) })).filter(({ labels }) => labels.length > 0)));
  for (const { name, labels } of nodes) {
    const body = { metadata: { labels: Object.fromEntries(labels.map((label) => [label, null])) } };
    await attempt(`labels of node ${name}: ${labels.join(', ')}`, () => unlessMissing(
      api.core.patchNode({ name, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))));
  }
  return { done, left, kept };
}

/** Waits for the end of pods; answers those that did not end in time. Pods of hooks, this one for one, do not count. */
async function untilEnded(api: KubeApi, namespace: string, selector: string): Promise<string[]> {
  for (const start = performance.now(); ; await delay(POLL_MS)) {
    const pods = await orUnavailable(listAll((page) => api.core.listNamespacedPod({ namespace, labelSelector: selector, ...page })));
    const running = pods
      .filter(({ metadata, status }) => metadata?.name !== process.env['POD_NAME'] && status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
      .map(({ metadata }) => metadata!.name!);
    if (running.length === 0 || performance.now() - start > PODS_MS) return running;
  }
}

function signLast(leases: readonly V1Lease[], names: Names): V1Lease[] {
  return [...leases].sort((a, b) => Number(isSign(a, names)) - Number(isSign(b, names)));
}

interface KeptBy {
  /** Hosts whose data plane has ended. */
  readonly ended: ReadonlySet<string>;
  readonly isLabelled: boolean;
  /** Whether a member stays. */
  readonly keepsMembers: boolean;
}

/**
 * Why a Lease of ours has to stay. A host that did not leave: what it may have mapped stays in
 * quarantine, in the next release too.
 */
function whyKept(lease: V1Lease, names: Names, { ended, isLabelled, keepsMembers }: KeptBy): string | undefined {
  if (isSign(lease, names)) {
    return keepsMembers ? 'versions that would not find these members give no memory back while it is there' : undefined;
  }
  if (lease.metadata!.labels?.[KIND_LABEL] !== 'member') return undefined;
  const member = memberOf(lease, names, { isLabelled });
  if (typeof member === 'string') return `${member}: memory of every pool waits for it; delete this Lease if no host that is on can have it`;
  if (ended.has(member.host)) return undefined;
  return `${member.host} has not left pool ${member.pool}: what was deleted there waits for it; delete this Lease if it is off for good`;
}

/** Nodes whose kubelet answers: a pod that is gone from such a node has ended, with all its processes. */
async function readyNodes(api: KubeApi): Promise<Set<string>> {
  const names = await orUnavailable(listSelected((page) => api.core.listNode(page), (nodes) => nodes
    .filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    .map(({ metadata }) => metadata!.name!)));
  return new Set(names);
}

function poolLabels({ metadata }: V1Node, names: Names): string[] {
  return Object.keys(metadata?.labels ?? {}).filter((label) => label.startsWith(names.poolLabel));
}

import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1ObjectReference } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { directoryHandle } from '../csi/volume-id.ts';
import type { ClusterState, PoolNotice, VolumeNotice } from '../state/interfaces.ts';
import { describeApiError, KubeApi, listSelected } from './client.ts';
import { EventRecorder, type EventSource } from './events.ts';
import { KubernetesLease } from './lease.ts';
import { MemberKeeper } from './member-keeper.ts';
import { KubernetesMembers } from './members.ts';
import { defaultMembersNamespace, Names } from './names.ts';
import { NodeReconciler } from './node-reconciler.ts';
import { KubernetesPersistentVolumes } from './persistent-volumes.ts';
import { explainPendingClaims } from './pending-claims.ts';
import { KubernetesAttachments, KubernetesHosts, KubernetesNodes, KubernetesPoolNames } from './records.ts';

const RETRY_MS = 2_000;

/** What the state of a cluster is opened with. */
export interface KubernetesOptions {
  /** Where our Leases are, but for those of members: the release's namespace. */
  readonly namespace: string;
  /** Where members' Leases are; default: named after the release's. */
  readonly membersNamespace?: string;
  readonly driver: string;
  readonly log: Logger;
  /** The API server; default: the one of this pod. */
  readonly api?: KubeApi;
}

/** The pod that this process runs in, as the downward API tells it. */
export interface OwnPod {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly node: string;
}

/** The state of a cluster that Kubernetes keeps. Nothing is asked of the API server yet. */
export function openKubernetesState(
  { namespace, membersNamespace = defaultMembersNamespace(namespace), driver, log, api = KubeApi.connect() }: KubernetesOptions,
): ClusterState {
  const names = new Names(driver);
  const place = { namespace, membersNamespace };
  const pod = ownPod(namespace);
  const events = new EventRecorder(api, eventSource(driver, pod), log);
  return {
    attachments: new KubernetesAttachments(api, namespace, names),
    members: new KubernetesMembers(api, place, names, log),
    poolNames: new KubernetesPoolNames(api, namespace, names),
    nodes: new KubernetesNodes(api, driver),
    persistentVolumes: new KubernetesPersistentVolumes(api, driver),
    hosts: new KubernetesHosts(api),
    notices: {
      pool: (notice) => recordPoolNotice(events, podReference(pod), notice, log),
      volume: (notice) => {
        recordVolumeNotice(api, driver, events, notice, log).catch((error: unknown) => {
          log.warn('an event was not written', { reason: notice.reason, volume: notice.volume, problem: describeApiError(error) });
        });
      },
    },
    clusterUuid: (signal) => clusterUuid(api, log, signal),
    acquireLease: (signal) => KubernetesLease.acquire({
      api, namespace, names, log, holder: { identity: `${pod.name}_${pod.uid}`, process: randomUUID() }, ...(signal === undefined ? {} : { signal }),
    }),
    startLeaderTasks: (controller, signal) => {
      new NodeReconciler(api, names, log).start(signal);
      new MemberKeeper(api, place, names, log).start(signal);
      explainPendingClaims(api, driver, events, controller, log, signal);
    },
  };
}

/** Outside a pod, each process counts as a pod of its own. */
export function ownPod(namespace: string): OwnPod {
  const { POD_NAME: name, POD_UID: uid, NODE_NAME: node } = process.env;
  return { name: name || os.hostname(), uid: uid || randomUUID(), namespace, node: node || os.hostname() };
}

export function podReference({ name, uid, namespace }: OwnPod): V1ObjectReference {
  return { apiVersion: 'v1', kind: 'Pod', name, namespace, uid };
}

export function eventSource(driver: string, pod: OwnPod): EventSource {
  return { component: driver, host: pod.node, instance: pod.name };
}

function recordPoolNotice(events: EventRecorder, pod: V1ObjectReference, { pool, severity, reason, message }: PoolNotice, log: Logger): void {
  log.log(severity === 'warning' ? 'warn' : 'info', message, { pool, reason });
  events.record(pod, { type: severity === 'warning' ? 'Warning' : 'Normal', reason, message: `pool ${pool}: ${message}` });
}

/** As an event of each PersistentVolume that names the volume's directory. */
async function recordVolumeNotice(api: KubeApi, driver: string, events: EventRecorder, notice: VolumeNotice, log: Logger): Promise<void> {
  const { volume, severity, reason, message } = notice;
  const type = severity === 'warning' ? 'Warning' : 'Normal';
  log.log(severity === 'warning' ? 'warn' : 'info', message, { volume, reason });
  const directory = directoryHandle(volume);
  const found = await listSelected((page) => api.core.listPersistentVolume(page), (volumes) => volumes
    .filter(({ spec }) => spec?.csi?.driver === driver && directoryHandle(spec.csi.volumeHandle) === directory)
    .map(({ metadata }) => ({ name: metadata!.name!, uid: metadata!.uid! })));
  for (const { name, uid } of found) events.record({ apiVersion: 'v1', kind: 'PersistentVolume', name, uid }, { type, reason, message });
}

/** The UID of the namespace kube-system, which lives as long as the cluster. Throws as the call to the API server does. */
export async function readClusterUuid(api: KubeApi): Promise<string> {
  return (await api.core.readNamespace({ name: 'kube-system' })).metadata!.uid!;
}

/** The UUID of the cluster. Waits for the API server. */
async function clusterUuid(api: KubeApi, log: Logger, signal?: AbortSignal): Promise<string> {
  for (let logged = ''; ; ) {
    try {
      return await readClusterUuid(api);
    } catch (error) {
      const problem = describeApiError(error);
      if (problem !== logged) log.warn('the UUID of the cluster cannot be read', { problem });
      logged = problem;
    }
    await delay(RETRY_MS, undefined, signal === undefined ? {} : { signal });
  }
}

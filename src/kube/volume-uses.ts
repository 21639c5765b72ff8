import type { V1PersistentVolume, V1Pod } from '@kubernetes/client-node';
import { type KubeApi, listSelected } from './client.ts';
import type { Names } from './names.ts';
import { KubernetesAttachments } from './records.ts';

/** What uses one volume of a driver. */
export interface VolumeUse {
  /** The volume's handle; the PersistentVolume's name where that is gone and with it the handle. */
  readonly volume: string;
  readonly persistentVolume?: string;
  /** `namespace/name` */
  readonly claim?: string;
  readonly nodes: readonly string[];
  /** `namespace/name` */
  readonly pods: readonly string[];
}

/** All volumes of a driver that are attached somewhere, or that a pod on some node has. */
export async function volumesInUse(api: KubeApi, namespace: string, names: Names): Promise<VolumeUse[]> {
  const { driver } = names;
  const [volumes, attachments, users, records] = await Promise.all([
    listSelected((page) => api.core.listPersistentVolume(page), (found) => found.filter(({ spec }) => spec?.csi?.driver === driver)),
    listSelected((page) => api.storage.listVolumeAttachment(page), (found) => found.filter(({ spec }) => spec.attacher === driver)),
    listSelected((page) => api.core.listPodForAllNamespaces(page), claimUsers),
    new KubernetesAttachments(api, namespace, names).list(),
  ]);
  const uses = new Uses(volumes);
  for (const { spec } of attachments) {
    uses.of(uses.handleOf(spec.source.persistentVolumeName ?? '')).nodes.add(spec.nodeName);
  }
  for (const { attachments: recorded } of records) {
    for (const { volume, node } of recorded) uses.of(volume).nodes.add(node);
  }
  const byClaim = new Map(volumes.flatMap((volume) => (volume.spec?.claimRef ? [[claimOf(volume), volume.spec.csi!.volumeHandle] as const] : [])));
  for (const { pod, node, claims } of users) {
    for (const claim of claims) {
      const handle = byClaim.get(claim);
      if (handle === undefined) continue;
      uses.of(handle).pods.add(pod);
      uses.of(handle).nodes.add(node);
    }
  }
  return uses.all();
}

/** One use in words. */
export function describeUse({ volume, persistentVolume, claim, nodes, pods }: VolumeUse): string {
  const known = [persistentVolume && `PersistentVolume ${persistentVolume}`, claim && `claim ${claim}`].filter(Boolean).join(', ');
  const by = pods.length === 0 ? '' : `, used by pod ${pods.join(', ')}`;
  return `volume ${JSON.stringify(volume).slice(1, -1)}${known && ` (${known})`} is on node ${nodes.join(', ')}${by}`;
}

class Uses {
  readonly #volumes: readonly V1PersistentVolume[];
  readonly #found = new Map<string, { nodes: Set<string>; pods: Set<string> }>();

  constructor(volumes: readonly V1PersistentVolume[]) {
    this.#volumes = volumes;
  }

  of(handle: string): { nodes: Set<string>; pods: Set<string> } {
    const found = this.#found.get(handle) ?? { nodes: new Set(), pods: new Set() };
    this.#found.set(handle, found);
    return found;
  }

  handleOf(persistentVolume: string): string {
    return this.#volumes.find(({ metadata }) => metadata?.name === persistentVolume)?.spec?.csi?.volumeHandle ?? persistentVolume;
  }

  all(): VolumeUse[] {
    return [...this.#found].map(([volume, { nodes, pods }]) => {
      const object = this.#volumes.find(({ spec }) => spec?.csi?.volumeHandle === volume);
      return {
        volume,
        ...(object === undefined ? {} : { persistentVolume: object.metadata!.name! }),
        ...(object?.spec?.claimRef === undefined ? {} : { claim: claimOf(object) }),
        nodes: [...nodes].sort(), pods: [...pods].sort(),
      };
    });
  }
}

interface ClaimUser {
  /** `namespace/name`, as are the claims */
  readonly pod: string;
  readonly node: string;
  readonly claims: readonly string[];
}

/** What there is to know of pods that use claims: a large cluster has more pods than fit into memory. */
function claimUsers(pods: readonly V1Pod[]): ClaimUser[] {
  return pods.filter(isOnNode)
    .map((pod) => ({ pod: nameOf(pod), node: pod.spec!.nodeName!, claims: claimsOf(pod) }))
    .filter(({ claims }) => claims.length > 0);
}

/** A pod that has, or may have, its volumes mounted. */
function isOnNode({ spec, status }: V1Pod): boolean {
  return spec?.nodeName !== undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function claimsOf({ metadata, spec }: V1Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [`${metadata!.namespace}/${persistentVolumeClaim.claimName}`];
    return ephemeral === undefined ? [] : [`${metadata!.namespace}/${metadata!.name}-${name}`];
  });
}

function claimOf({ spec }: V1PersistentVolume): string {
  return `${spec?.claimRef?.namespace}/${spec?.claimRef?.name}`;
}

function nameOf({ metadata }: V1Pod): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}

/** The objects that tests create, made from what differs between them. */
import type { KubeObject } from './kubectl.ts';

export interface ClaimWish {
  name: string;
  namespace: string;
  size?: string;
  mode?: string;
  storageClass?: string;
  /** More of the claim's spec. */
  spec?: Record<string, unknown>;
}

/** Names that every test shares with the chart's values. */
export const Names = {
  driver: 'csi.famfs.io',
  storageClass: 'famfs',
  busybox: 'busybox:1.37',
  release: 'famfs',
  namespace: 'famfs-system',
} as const;

/** A PersistentVolumeClaim. */
export function claim({ name, namespace, size = '8Mi', mode = 'ReadWriteOnce', storageClass = Names.storageClass, spec = {} }: ClaimWish): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes: [mode], storageClassName: storageClass, resources: { requests: { storage: size } }, ...spec },
  };
}

export interface PodWish {
  name: string;
  namespace: string;
  claims?: readonly { claim: string; path: string; readOnly?: boolean; subPath?: string }[];
  node?: string;
  image?: string;
  command?: readonly string[];
  /** More of the pod's and of its container's spec. */
  spec?: Record<string, unknown>;
  container?: Record<string, unknown>;
  labels?: Record<string, string>;
}

/** A pod that sleeps, unless told otherwise, with claims mounted. */
export function pod(wish: PodWish): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: wish.name, namespace: wish.namespace, labels: wish.labels ?? {} },
    spec: podSpec(wish),
  };
}

/** The spec of such a pod, for controllers that make pods. */
export function podSpec({ claims = [], node, image = Names.busybox, command = ['sleep', '1000000'], spec = {}, container = {} }: PodWish): Record<string, unknown> {
  return {
    terminationGracePeriodSeconds: 0,
    ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
    containers: [{
      name: 'main',
      image,
      imagePullPolicy: 'IfNotPresent',
      command,
      volumeMounts: claims.map(({ path, readOnly = false, subPath }, at) => (
        { name: `v${at}`, mountPath: path, readOnly, ...(subPath === undefined ? {} : { subPath }) })),
      ...container,
    }],
    volumes: claims.map(({ claim: claimName }, at) => ({ name: `v${at}`, persistentVolumeClaim: { claimName } })),
    ...spec,
  };
}

/** One pod with a claim, made anew wherever there is a node for it. */
export function deployment(name: string, namespace: string, claimName: string): KubeObject {
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace },
    spec: {
      replicas: 1, strategy: { type: 'Recreate' }, selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec({ name, namespace, claims: [{ claim: claimName, path: '/data' }] }) },
    },
  };
}

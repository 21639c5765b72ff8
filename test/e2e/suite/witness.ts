/** Watches the pods of a run, and keeps what their logs say before they are deleted. */
import { makeInformer, type CoreV1Api, type KubeConfig, type V1ContainerStatus, type V1Pod } from '@kubernetes/client-node';
import { KubeApi } from '../../../src/kube/client.ts';
import { run } from '../support/kubectl.ts';

const AGAIN_MS = 500;
const LINES = 50;
/** What the kubelet says where it cannot make the directory of a subPath. It hides why. */
const NO_SUBPATH = 'failed to create subPath directory';

/** What was seen of a test. */
export interface Testimony {
  /** Where pods had volumes mounted. */
  readonly mounts: ReadonlySet<string>;
  /** Logs of containers, and answers to what the kubelet tried. */
  readonly logs: readonly string[];
}

/** What was seen in one namespace. */
interface Scene {
  /** By UID, as they were last. */
  readonly pods: Map<string, V1Pod>;
  readonly mounts: Set<string>;
  readonly logs: string[];
}

/** Sees all pods of the cluster while it watches. */
export class Witness {
  readonly #config: KubeConfig;
  readonly #core: CoreV1Api;
  readonly #seen = new Map<string, Scene>();
  readonly #asked = new Map<string, Promise<void>>();
  #stop = async (): Promise<void> => {};

  constructor(config: KubeConfig) {
    this.#config = config;
    this.#core = new KubeApi(config).core;
  }

  /** Begins to watch. */
  async start(): Promise<void> {
    const informer = makeInformer<V1Pod>(this.#config, '/api/v1/pods', () => this.#core.listPodForAllNamespaces());
    let ended = false;
    informer.on('change', (pod) => this.#look(pod));
    informer.on('error', () => {
      setTimeout(() => ended || void informer.start().catch(() => {}), AGAIN_MS);
    });
    this.#stop = async () => {
      ended = true;
      await informer.stop();
    };
    await informer.start();
  }

  /** Ends watching. */
  async stop(): Promise<void> {
    await this.#stop();
    await Promise.all(this.#asked.values());
  }

  /** What was seen in these namespaces. */
  async tell(namespaces: readonly string[]): Promise<Testimony> {
    const found = namespaces.map((name) => this.#of(name));
    // The pods of a test that failed live on.
    for (const pod of found.flatMap(({ pods }) => [...pods.values()])) {
      for (const status of statusesOf(pod)) this.#readLog(pod, status);
    }
    await Promise.all(this.#asked.values());
    return { mounts: new Set(found.flatMap(({ mounts }) => [...mounts])), logs: found.flatMap(({ logs }) => logs) };
  }

  #of(namespace: string): Scene {
    const found = this.#seen.get(namespace) ?? { pods: new Map(), mounts: new Set(), logs: [] };
    this.#seen.set(namespace, found);
    return found;
  }

  #look(pod: V1Pod): void {
    const { namespace, uid, deletionTimestamp } = pod.metadata!;
    const found = this.#of(namespace!);
    found.pods.set(uid!, pod);
    for (const path of mountsOf(pod)) found.mounts.add(path);
    for (const status of statusesOf(pod)) {
      if (deletionTimestamp !== undefined || status.state?.terminated !== undefined) this.#readLog(pod, status);
      if (status.lastState?.terminated !== undefined) this.#readLog(pod, status, true);
      if (status.state?.waiting?.message?.includes(NO_SUBPATH)) this.#repeatMkdir(pod);
    }
  }

  /** Reads once what a container has said, or what it said before it was started again. */
  #readLog({ metadata }: V1Pod, { name: container, state, restartCount }: V1ContainerStatus, previous = false): void {
    if (state?.waiting !== undefined && !previous) return;
    const { name, namespace, uid } = metadata as { name: string; namespace: string; uid: string };
    const run = previous ? restartCount - 1 : restartCount;
    this.#once(`${uid} ${container} ${run}`, namespace, () =>
      this.#core.readNamespacedPodLog({ name, namespace, container, previous, tailLines: LINES }));
  }

  /** Does on the node what the kubelet tried, in the same volume, to hear what the file system says. */
  #repeatMkdir({ metadata, spec }: V1Pod): void {
    const { namespace, uid } = metadata as { namespace: string; uid: string };
    const script = `for mount in /var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi/*/mount; do mkdir "$mount/made-by-test" && rmdir "$mount/made-by-test"; done`;
    this.#once(`${uid} subPath`, namespace, async () => {
      const { stdout, stderr } = await run('docker', ['exec', spec!.nodeName!, 'sh', '-c', script]);
      return `${stdout}${stderr}`;
    });
    this.#of(namespace).mounts.add(`/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi`);
  }

  #once(key: string, namespace: string, ask: () => Promise<string>): void {
    if (this.#asked.has(key)) return;
    // A pod that is gone already tells nothing: then the test's own log must.
    this.#asked.set(key, ask().then((text) => { this.#of(namespace).logs.push(text); }, () => {}));
  }
}

function statusesOf({ status }: V1Pod): V1ContainerStatus[] {
  return [...status?.initContainerStatuses ?? [], ...status?.containerStatuses ?? []];
}

/** Where the containers of a pod have the volumes of claims. */
export function mountsOf({ spec }: Pick<V1Pod, 'spec'>): string[] {
  const ours = new Set((spec?.volumes ?? [])
    .filter(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim !== undefined || ephemeral !== undefined)
    .map(({ name }) => name));
  return [...spec?.initContainers ?? [], ...spec?.containers ?? []]
    .flatMap(({ volumeMounts = [] }) => volumeMounts)
    .filter(({ name }) => ours.has(name))
    .map(({ mountPath }) => mountPath);
}

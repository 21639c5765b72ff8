/** Watches the pods of a run, and keeps what their logs say before they are deleted. */
import { makeInformer, type CoreV1Api, type KubeConfig, type V1ContainerStatus, type V1Pod } from '@kubernetes/client-node';
import { KubeApi } from '../../../src/kube/client.ts';
import { run } from '../support/kubectl.ts';

const AGAIN_MS = 500;
const LINES = 50;
/** What the kubelet says where it cannot make the directory of a subPath. It hides why. */
const NO_SUBPATH = 'failed to create subPath directory';

/** What was seen in one namespace. */
export interface Testimony {
  /** Where pods had volumes mounted. */
  readonly mounts: ReadonlySet<string>;
  /** Logs of containers that failed, and answers of the kubelet's own operations. */
  readonly logs: readonly string[];
}

/** Sees all pods of the cluster while it watches. */
export class Witness {
  readonly #config: KubeConfig;
  readonly #core: CoreV1Api;
  readonly #seen = new Map<string, { mounts: Set<string>; logs: string[] }>();
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
    await Promise.all(this.#asked.values());
    const found = namespaces.map((name) => this.#of(name));
    return { mounts: new Set(found.flatMap(({ mounts }) => [...mounts])), logs: found.flatMap(({ logs }) => logs) };
  }

  #of(namespace: string) {
    const found = this.#seen.get(namespace) ?? { mounts: new Set<string>(), logs: [] };
    this.#seen.set(namespace, found);
    return found;
  }

  #look(pod: V1Pod): void {
    const { namespace } = pod.metadata!;
    const { mounts } = this.#of(namespace!);
    for (const path of mountsOf(pod)) mounts.add(path);
    for (const status of [...pod.status?.initContainerStatuses ?? [], ...pod.status?.containerStatuses ?? []]) {
      this.#readLog(pod, status);
      if (status.state?.waiting?.message?.includes(NO_SUBPATH)) this.#repeatMkdir(pod);
    }
  }

  #readLog({ metadata }: V1Pod, { name: container, state, lastState, restartCount }: V1ContainerStatus): void {
    const previous = state?.terminated === undefined;
    const end = state?.terminated ?? lastState?.terminated;
    if (end === undefined || end.exitCode === 0) return;
    const { name, namespace, uid } = metadata as { name: string; namespace: string; uid: string };
    this.#once(`${uid} ${container} ${restartCount} ${previous}`, namespace, () =>
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

/** Waiting for what Kubernetes is to bring about. */
import { find, get, kubectl, type KubeObject, list } from './kubectl.ts';
import { Names } from './objects.ts';
import { untilSo } from '../../support/until.ts';

/** Waits until a pod runs and is ready; says what keeps it when it does not. */
export async function running(name: string, namespace: string): Promise<KubeObject> {
  return untilSo(`pod ${name} runs`, async () => {
    const pod = await find('pod', name, namespace);
    return pod?.status.conditions?.some(isReady) && pod;
  }, { describe: () => kubectl(['describe', 'pod', name, '-n', namespace]) });
}

/** Waits until a pod's containers have ended by themselves, with 0. */
export async function succeeded(name: string, namespace: string): Promise<void> {
  await untilSo(`pod ${name} succeeds`, async () => {
    const pod = await get('pod', name, namespace);
    if (pod.status.phase === 'Failed') throw new Error(await kubectl(['logs', name, '-n', namespace]));
    return pod.status.phase === 'Succeeded';
  }, { describe: () => kubectl(['describe', 'pod', name, '-n', namespace]) });
}

/** Waits until a claim is bound, and answers its volume. */
export async function bound(name: string, namespace: string): Promise<KubeObject> {
  const claim = await untilSo(`claim ${name} is bound`, async () => {
    const found = await find('pvc', name, namespace);
    return found?.status.phase === 'Bound' && found;
  }, { describe: () => kubectl(['describe', 'pvc', name, '-n', namespace]) });
  return get('pv', claim.spec.volumeName);
}

/** Deletes objects and waits until they are gone. */
export async function remove(kind: string, names: readonly string[], namespace?: string): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await kubectl(['delete', kind, ...names, ...where, '--ignore-not-found', '--wait=true', '--timeout=150s']);
}

/** Waits for an event about an object whose text matches. */
export async function eventAbout(kind: string, name: string, namespace: string, pattern: RegExp): Promise<string> {
  const heard = async () => (await list('events', namespace))
    .filter(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name)
    .map(({ reason, message }) => `${reason}: ${message}`);
  return untilSo(`an event about ${kind} ${name} that matches ${pattern}`, async () =>
    (await heard()).find((text) => pattern.test(text)), { describe: async () => (await heard()).join('\n') });
}

/** Waits until all pods of a selector are ready, at least `count` of them. */
export async function allReady(selector: string, namespace: string, count = 1): Promise<KubeObject[]> {
  return untilSo(`${count} pods ${selector} are ready`, async () => {
    const pods = await list('pods', namespace, '-l', selector);
    const ready = pods.length >= count && pods.every(({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status.conditions?.some(isReady));
    return ready && pods;
  }, { describe: () => kubectl(['describe', 'pods', '-n', namespace, '-l', selector]) });
}

/** The name of a role's pod on a node. */
export async function podOn(node: string, selector: string): Promise<string> {
  const pods = await list('pods', Names.namespace, '-l', selector);
  return pods.find(({ spec }) => spec.nodeName === node)!.metadata.name;
}

function isReady({ type, status }: { type: string; status: string }): boolean {
  return type === 'Ready' && status === 'True';
}

/** How often the containers of the release were started again. */
import { kubectl, list } from './kubectl.ts';
import { Names } from './objects.ts';
import { Selectors } from './release.ts';
import { untilSo } from '../../support/until.ts';

/** Restarts of each container, as `pod/container`. */
export type Restarts = Readonly<Record<string, number>>;

/** Restarts of all containers of the release's pods. */
export async function restarts(): Promise<Restarts> {
  const pods = await list('pods', Names.namespace, '-l', `app.kubernetes.io/instance=${Names.release}`);
  return Object.fromEntries(pods.flatMap(({ metadata, status }) => (status.containerStatuses ?? [])
    .map(({ name, restartCount }: { name: string; restartCount: number }) => [`${metadata.name}/${name}`, restartCount])));
}

/**
 * Containers that were started again since then, as `pod/container`; since their pods were made where nothing is given.
 * Waits until the sidecars of every controller have asked their driver whether it is ready: those that end at their
 * start have done so by then.
 */
export async function restartedSince(before: Restarts = {}): Promise<string[]> {
  await untilSo('every sidecar has reached its driver', async () => {
    for (const { metadata, spec } of await list('pods', Names.namespace, '-l', Selectors.controller)) {
      for (const { name } of (spec.containers as { name: string }[]).filter((container) => container.name !== 'controller')) {
        const log = await kubectl(['logs', metadata.name, '-c', name, '-n', Names.namespace]);
        if (!log.includes('Probing CSI driver for readiness')) return false;
      }
    }
    return true;
  });
  return Object.entries(await restarts()).filter(([container, count]) => count > (before[container] ?? 0)).map(([container]) => container);
}

import { makeInformer, type Informer, type KubernetesObject, type ObjectCache } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { describeApiError, type KubeApi, type Listed, type ListPage, listPages } from './client.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

/** What is watched: the path of the API, and how to list a page of it. */
export interface Watched<Kind extends KubernetesObject> {
  readonly path: string;
  readonly list: (page: ListPage) => Promise<Listed<Kind>>;
}

/**
 * Keeps a copy of all objects of one kind until `signal` aborts, through every outage of the API
 * server, and calls `changed` after each change.
 */
export function watchObjects<Kind extends KubernetesObject>(
  api: KubeApi, watched: Watched<Kind>, changed: () => void, log: Logger, signal: AbortSignal,
): ObjectCache<Kind> {
  const informer: Informer<Kind> & ObjectCache<Kind> = makeInformer(api.config, watched.path, () => listPages(watched.list, (items) => items));
  let pause = FIRST_RETRY_MS;
  let logged = '';
  let again: NodeJS.Timeout | undefined;
  const fail = (error: unknown) => {
    if (signal.aborted) return;
    const problem = describeApiError(error);
    if (problem !== logged) log.warn('a watch was interrupted', { path: watched.path, problem });
    logged = problem;
    clearTimeout(again);
    again = setTimeout(start, pause).unref();
    pause = Math.min(pause * 2, LAST_RETRY_MS);
  };
  const start = () => {
    if (!signal.aborted) informer.start().catch(fail);
  };
  informer.on('change', () => {
    pause = FIRST_RETRY_MS;
    logged = '';
    changed();
  });
  informer.on('error', fail);
  signal.addEventListener('abort', () => {
    clearTimeout(again);
    informer.stop().catch(() => undefined); // nobody looks at it any more
  }, { once: true });
  start();
  return informer;
}

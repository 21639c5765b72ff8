import { status } from '@grpc/grpc-js';
import {
  ApiException, CoordinationV1Api, CoreV1Api, createConfiguration, KubeConfig, ServerConfiguration, StorageV1Api,
  type Middleware, type RequestContext, type ResponseContext, type V1ListMeta,
} from '@kubernetes/client-node';
import { CsiError } from '../csi/errors.ts';
import { messageOf } from '../famfs/errors.ts';

/** How long a call may take: lists of large clusters need some seconds. */
const CALL_MS = 20_000;
/** How long TLS settings and connections are kept before the credentials' files are read again. */
const CONNECTION_MS = 300_000;

/** The API server, as our programs use it. Every call ends: with an answer, or with an error in time. */
export class KubeApi {
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly storage: StorageV1Api;
  readonly coordination: CoordinationV1Api;

  constructor(config: KubeConfig, callMs = CALL_MS) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new Error('no Kubernetes cluster is configured: run in a pod, or name a kubeconfig in KUBECONFIG');
    const configuration = createConfiguration({
      baseServer: new ServerConfiguration(cluster.server, {}), authMethods: { default: config }, promiseMiddleware: [new CallDeadlines(callMs)],
    });
    this.config = config;
    this.core = new CoreV1Api(configuration);
    this.storage = new StorageV1Api(configuration);
    this.coordination = new CoordinationV1Api(configuration);
  }

  /** The API server of the pod that this runs in, or of the kubeconfig that KUBECONFIG names. */
  static connect(): KubeApi {
    const config = new KubeConfig();
    if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined && process.env['KUBECONFIG'] === undefined) config.loadFromCluster();
    else config.loadFromDefault();
    return new KubeApi(config);
  }

  /** The same server, with another limit for each call. */
  withCallTimeout(callMs: number): KubeApi {
    return new KubeApi(this.config, callMs);
  }
}

/**
 * Gives each call a deadline, and all of them the same connections: the client library would open
 * new ones for every call. They are given up, as they may be dead, when a call has run into its
 * deadline and nothing else was answered since it was sent.
 */
class CallDeadlines implements Middleware {
  readonly #callMs: number;
  #dispatcher: ReturnType<RequestContext['getDispatcher']>;
  #since = 0;
  #answeredAt = -Infinity;

  constructor(callMs: number) {
    this.#callMs = callMs;
  }

  async pre(request: RequestContext): Promise<RequestContext> {
    const now = performance.now();
    if (this.#dispatcher === undefined || now - this.#since > CONNECTION_MS) {
      this.#dispatcher = request.getDispatcher();
      this.#since = now;
    }
    const dispatcher = this.#dispatcher;
    const deadline = AbortSignal.timeout(this.#callMs);
    // It comes for every call, answered or not: the library does not tell which call an answer belongs to.
    deadline.addEventListener('abort', () => this.#missed(now, dispatcher), { once: true });
    request.setSignal(deadline);
    request.setHeaderParam('User-Agent', 'famfs-csi');
    if (dispatcher !== undefined) request.setDispatcher(dispatcher);
    return request;
  }

  async post(response: ResponseContext): Promise<ResponseContext> {
    this.#answeredAt = performance.now();
    return response;
  }

  #missed(sentAt: number, dispatcher: ReturnType<RequestContext['getDispatcher']>): void {
    if (this.#answeredAt < sentAt && this.#dispatcher === dispatcher) this.#dispatcher = undefined;
  }
}

/** The HTTP status of a refusal by the API server, or undefined where it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

/** What went wrong with a call to the API server, in one line. */
export function describeApiError(error: unknown): string {
  if (error instanceof ApiException) return `the API server answers ${error.code}: ${messageIn(error.body)}`;
  const { name, cause } = error instanceof Error ? error : {};
  if (name === 'TimeoutError' || name === 'AbortError') return 'the API server does not answer';
  const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return reason ? `the API server cannot be reached: ${reason}` : messageOf(error);
}

/** Of a Status object, its message. */
function messageIn(body: unknown): string {
  try {
    const status = (typeof body === 'string' ? JSON.parse(body) : body) as { message?: string };
    return status.message ?? String(body);
  } catch {
    return String(body).slice(0, 200);
  }
}

/** The answer of a call, or undefined where the object does not exist. */
export async function unlessMissing<Result>(call: Promise<Result>): Promise<Result | undefined> {
  return call.catch((error: unknown) => {
    if (statusOf(error) === 404) return undefined;
    throw error;
  });
}

/** The answer of a call; a failure as CsiError UNAVAILABLE, with the reason, for a caller of ours. */
export async function orUnavailable<Result>(call: Promise<Result>): Promise<Result> {
  return call.catch((error: unknown) => {
    throw new CsiError(status.UNAVAILABLE, describeApiError(error), { cause: error });
  });
}

/** How many objects one call lists. */
const PAGE = 500;

/** Which part of a list is asked for. */
export interface ListPage {
  readonly limit: number;
  readonly _continue?: string;
}

/** A list as the API server answers it. */
export interface Listed<Item> {
  items: Item[];
  metadata?: V1ListMeta;
}

/** All objects of a list. */
export async function listAll<Item>(list: (page: ListPage) => Promise<Listed<Item>>): Promise<Item[]> {
  return listSelected(list, (items) => items);
}

/** What `select` makes of the objects of a list, page by page. */
export async function listSelected<Item, Selected>(list: (page: ListPage) => Promise<Listed<Item>>, select: (items: Item[]) => Selected[]): Promise<Selected[]> {
  return (await listPages(list, select)).items;
}

/**
 * What `select` makes of each page of a list, with the version of the whole. Page by page, because to
 * read all nodes of a large cluster at once takes seconds, in which the lease could not be renewed,
 * and more memory than a small pod has.
 */
export async function listPages<Item, Selected>(
  list: (page: ListPage) => Promise<Listed<Item>>, select: (items: Item[]) => Selected[],
): Promise<{ items: Selected[]; metadata?: V1ListMeta }> {
  const items: Selected[] = [];
  for (let next: string | undefined; ;) {
    const { items: found, metadata } = await list({ limit: PAGE, ...(next ? { _continue: next } : {}) });
    items.push(...select(found));
    next = metadata?._continue;
    if (!next) return { items, ...(metadata === undefined ? {} : { metadata }) };
  }
}

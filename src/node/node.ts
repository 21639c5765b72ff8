import type { Server } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import { csi } from '../csi/server/protocols.ts';
import type { CsiPart } from '../csi/server/serve.ts';
import { handlersOf } from '../csi/server/service.ts';
import { FdStore } from '../famfs/fuse/session/fd-store.ts';
import type { NodeHandlers } from '../generated/csi/v1/Node.ts';
import type { Health } from '../metrics/health.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { addNodeMetrics } from '../metrics/node-metrics.ts';
import type { Nodes } from '../state/interfaces.ts';
import { Stages } from '../state/stages.ts';
import { DataPlane } from './data-plane.ts';
import { HostPools } from './host-pools.ts';
import { nodeOperations } from './operations.ts';
import { Registration } from './registration.ts';
import { NodeVolumes } from './volumes.ts';

/** What a node plugin is started with. */
export interface NodeOptions {
  /** Told which pools this host reaches. */
  readonly nodes: Pick<Nodes, 'announce'>;
  readonly hostDirectory: string;
  readonly nodeId: string;
  /** Socket file of the host's data plane. */
  readonly fusedSocket: string;
  readonly driver: string;
  /** With a kubelet: its directory of plugins, and our CSI socket. */
  readonly kubelet?: { readonly directory: string; readonly endpoint: string };
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

interface NodeParts {
  readonly plane: DataPlane;
  readonly fdStore: FdStore;
  readonly pools: HostPools;
  readonly registration: Registration | undefined;
  readonly announce: (pools: readonly string[]) => Promise<void>;
  readonly handlers: NodeHandlers;
}

/** How long a node plugin that is to end waits for the sessions that depend on its fd store: less than a pod is given. */
export const LEAVE_MS = 110_000;

/**
 * The node plugin of one host. It touches no shared memory: the data plane does. But it has the host's fd
 * store, by which the data plane's sessions survive when that is replaced.
 */
export class Node implements CsiPart {
  readonly #parts: NodeParts;

  private constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /**
   * Waits until the data plane has found a pool, because a node's topology is read once, and
   * announces the node. Rejects when `signal` aborts meanwhile.
   */
  static async start(options: NodeOptions): Promise<Node> {
    const { nodes, hostDirectory, nodeId: node, fusedSocket, driver, kubelet, health, metrics, log, signal } = options;
    const registration = kubelet === undefined ? undefined : await Registration.prepare({ ...kubelet, driver, health, log });
    const stages = new Stages(hostDirectory);
    const fdStore = new FdStore({ hostDirectory, onEvent: (text, session) => log.info('held session', { session, text }) });
    const plane = new DataPlane(fusedSocket);
    const pools = new HostPools({ plane, health, log });
    const announce = (uuids: readonly string[]) => nodes.announce({ node, pools: uuids });
    addNodeMetrics(metrics, async () => ({ registered: registration?.registered ?? false, staged: (await stages.list()).length, held: fdStore.sessions.length }));
    try {
      await pools.waitForFirst(async () => (await stages.list()).length > 0, signal);
      const announceAndReport = async () => {
        const uuids = await pools.report();
        await announce(uuids);
        return uuids;
      };
      log.info('node announced', { node, pools: await announceAndReport() });
      const operations = nodeOperations(new NodeVolumes(plane, stages, log), { node, driver, pools: announceAndReport });
      return new Node({ plane, fdStore, pools, registration, announce, handlers: handlersOf<NodeHandlers>(operations, log) });
    } catch (error) {
      plane.close();
      await fdStore.leave(LEAVE_MS);
      throw error;
    }
  }

  addTo(server: Server): void {
    server.addService(csi.Node.service, this.#parts.handlers);
  }

  async afterListening(): Promise<void> {
    const { pools, registration, announce } = this.#parts;
    await registration?.open();
    pools.watch(async (uuids) => {
      await announce(uuids);
      await registration?.renew();
    });
  }

  async beforeClosing(): Promise<void> {
    await this.#parts.pools.stop();
    await this.#parts.registration?.close();
  }

  /** Mounts stay: pods use them, and the next node plugin finds them in the host's directory. */
  async stop(): Promise<void> {
    this.#parts.plane.close();
    await this.#parts.fdStore.leave(LEAVE_MS);
  }
}

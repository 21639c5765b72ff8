import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import { csi } from '../csi/protocols.ts';
import { handlersOf } from '../csi/service.ts';
import type { NodeHandlers } from '../generated/csi/v1/Node.ts';
import type { Nodes } from '../state/interfaces.ts';
import { DataPlane } from './data-plane.ts';
import { nodeOperations } from './operations.ts';
import { Stages } from './stages.ts';
import { NodeVolumes } from './volumes.ts';

const POLL_MS = 200;

/** What a node plugin is started with. */
export interface NodeOptions {
  /** Told which pools this host reaches. */
  readonly nodes: Pick<Nodes, 'announce'>;
  readonly hostDirectory: string;
  readonly nodeId: string;
  /** Socket file of the host's data plane. */
  readonly fusedSocket: string;
  readonly driver: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The node plugin of one host. It touches no shared memory: the data plane does. */
export class Node {
  readonly #plane: DataPlane;
  readonly #handlers: NodeHandlers;

  private constructor(plane: DataPlane, handlers: NodeHandlers) {
    this.#plane = plane;
    this.#handlers = handlers;
  }

  /**
   * Waits until the data plane has found a pool, because a node's topology is read once, and
   * announces the node. Rejects when `signal` aborts meanwhile.
   */
  static async start(options: NodeOptions): Promise<Node> {
    const { nodes, hostDirectory, nodeId, fusedSocket, driver, log, signal } = options;
    const plane = new DataPlane(fusedSocket);
    try {
      await firstPools(plane, log, signal);
      const pools = () => announce(nodes, nodeId, plane);
      log.info('node announced', { node: nodeId, pools: await pools() });
      const volumes = new NodeVolumes(plane, new Stages(hostDirectory), log);
      const operations = nodeOperations(volumes, { node: nodeId, driver, pools });
      return new Node(plane, handlersOf<NodeHandlers>(operations, log));
    } catch (error) {
      plane.close();
      throw error;
    }
  }

  addTo(server: Server): void {
    server.addService(csi.Node.service, this.#handlers);
  }

  /** Mounts stay: pods use them, and the next node plugin finds them in the host's directory. */
  stop(): void {
    this.#plane.close();
  }
}

/** Tells the cluster which pools this node reaches now, and the caller too. */
async function announce(nodes: NodeOptions['nodes'], node: string, plane: DataPlane): Promise<string[]> {
  const pools = (await plane.pools()).map(({ uuid }) => uuid);
  await nodes.announce({ node, pools });
  return pools;
}

async function firstPools(plane: DataPlane, log: Logger, signal: AbortSignal): Promise<void> {
  for (let said = ''; ; ) {
    const found = await plane.pools().catch((error: Error) => error);
    if (Array.isArray(found) && found.length > 0) return;
    const reason = Array.isArray(found) ? 'the data plane has no readable pool yet' : `no data plane: ${found.message}`;
    if (reason !== said) log.info('waiting for a pool', { reason });
    said = reason;
    await delay(POLL_MS, undefined, { signal });
  }
}

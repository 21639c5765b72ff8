import type { Server } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import type { PoolConfig } from '../csi/pool-config.ts';
import { csi } from '../csi/server/protocols.ts';
import { handlersOf } from '../csi/server/service.ts';
import { openHostDirectory } from '../famfs/private-folder.ts';
import type { ControllerHandlers } from '../generated/csi/v1/Controller.ts';
import type { PoolFigures } from '../metrics/controller-metrics.ts';
import type { ClusterState, Lease } from '../state/interfaces.ts';
import { Attaching } from './attaching.ts';
import { createRequest } from './create-request.ts';
import { Listing } from './listing.ts';
import { controllerOperations } from './operations.ts';
import { OrphanCounter } from './orphan-counter.ts';
import { ClaimWatch } from './pools/claim-watch.ts';
import { OpenedPools } from './pools/opened-pools.ts';
import { PoolFinder } from './pools/pool-finder.ts';
import { ControllerPools } from './pools/pools.ts';
import { Volumes } from './volumes.ts';

/** What a controller is started with. */
export interface ControllerOptions {
  readonly pools: readonly PoolConfig[];
  readonly state: ClusterState;
  /** Host-local and gone after a reboot, such as /run/famfs-csi: for locks that prove a writer dead. */
  readonly hostDirectory: string;
  readonly hostId: string;
  readonly driver: string;
  /** Bytes of deleted memory zeroed a second. */
  readonly scrubRate: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The one controller of a cluster: it exists only while it holds the lease. */
export class Controller {
  readonly #lease: Lease;
  readonly #pools: ControllerPools;
  readonly #handlers: ControllerHandlers;
  readonly #orphans: OrphanCounter | undefined;
  readonly #attending = new AbortController();

  private constructor(lease: Lease, pools: ControllerPools, handlers: ControllerHandlers, orphans: OrphanCounter | undefined) {
    this.#lease = lease;
    this.#pools = pools;
    this.#handlers = handlers;
    this.#orphans = orphans;
  }

  /** Waits for the lease, then takes the pools' claims. Rejects when `signal` aborts meanwhile. */
  static async start(options: ControllerOptions): Promise<Controller> {
    const { state, hostDirectory, hostId, driver, scrubRate, log, signal } = options;
    openHostDirectory(hostDirectory);
    const watches = new Map(options.pools.map(({ device }) => [device, new ClaimWatch(device)]));
    const opened = new OpenedPools(options.pools.map(({ device }) => device));
    try {
      const identity = { clusterUuid: await state.clusterUuid(signal), hostId, hostDirectory };
      log.info('waiting for the lease');
      const lease = await state.acquireLease(signal);
      log.info('lease held', { epoch: lease.epoch });
      const { attachments, nodes, notices, members, hosts } = state;
      const finder = new PoolFinder(options.pools, state.poolNames, log);
      const pools = new ControllerPools(options.pools, { identity, lease, notices, members, hosts, scrubRate, log, watches, opened, finder });
      await pools.start();
      const volumes = new Volumes(pools, attachments, driver);
      const operations = controllerOperations({
        volumes,
        attaching: new Attaching(pools, attachments, nodes, lease),
        listing: new Listing(pools, attachments, driver),
      });
      const orphans = state.persistentVolumes && new OrphanCounter(pools, state.persistentVolumes, log);
      const controller = new Controller(lease, pools, handlersOf<ControllerHandlers>(operations, log), orphans);
      const attending = AbortSignal.any([controller.#attending.signal, lease.lost]);
      state.startLeaderTasks({ explain: (wanted) => volumes.explain(createRequest(wanted)) }, attending);
      orphans?.run(attending).catch((error: unknown) => void log.error('volumes without PersistentVolume are counted no more', { error: String(error) }));
      return controller;
    } finally {
      for (const watch of watches.values()) watch.stop();
      opened.close();
    }
  }

  /** Aborts when the right to write is lost: nothing may be answered from then on. */
  get lost(): AbortSignal {
    return this.#lease.lost;
  }

  /** What metrics tell of the pools. */
  figures(): PoolFigures[] {
    return this.#pools.all.map((pool) => {
      const orphans = this.#orphans?.countOf(pool.spec.name);
      return { ...pool.figures(), ...(orphans === undefined ? {} : { orphans }) };
    });
  }

  addTo(server: Server): void {
    server.addService(csi.Controller.service, this.#handlers);
  }

  /** Closes the claims, then gives the lease back: in this order, a successor finds closed claims. */
  async stop(): Promise<void> {
    this.#attending.abort();
    await this.#pools.stop();
    await this.#lease.release();
  }
}

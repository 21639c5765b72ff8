import type { Server } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import { withTimeout } from '../../famfs/with-timeout.ts';
import type { IdentityHandlers } from '../../generated/csi/v1/Identity.ts';
import { identityOperations } from './identity.ts';
import type { CallObserver } from './observe.ts';
import { csi } from './protocols.ts';
import { type CsiPart, version } from './serve.ts';
import { SocketServer } from './server.ts';
import { handlersOf } from './service.ts';

/** How long a Probe waits for its answer to become a better one: less than the time that sidecars allow. */
const PROBE_MS = 20_000;

/** What the socket of sidecars is opened with. */
export interface WaitingSocketOptions {
  readonly socket: string;
  readonly driver: string;
  readonly log: Logger;
  readonly observe?: CallObserver;
  /** How long a Probe waits before it answers "not ready". */
  readonly probeMs?: number;
}

/**
 * A CSI socket for sidecars of a driver that may have to wait for its turn. Sidecars give up on a
 * socket that is missing for half a minute, and are then restarted ever later; on one that answers
 * "not ready" they wait for ever. Until `serve`, nothing but the identity service is there, so that
 * no call reaches a driver that may not act.
 */
export class WaitingSocket {
  readonly #grpc: Server;
  readonly #server: SocketServer;
  /** Answers the Probes that wait, and all later ones. */
  readonly #becomeReady: () => void;

  private constructor(grpc: Server, server: SocketServer, becomeReady: () => void) {
    this.#grpc = grpc;
    this.#server = server;
    this.#becomeReady = becomeReady;
  }

  /** Opens the socket of a driver that is not ready yet. */
  static async open({ socket, driver, log, observe, probeMs = PROBE_MS }: WaitingSocketOptions): Promise<WaitingSocket> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const identity = identityOperations(driver, version(), () => withTimeout(promise, probeMs, () => false));
    let grpc: Server | undefined;
    const server = await SocketServer.listen(socket, (created) => {
      grpc = created;
      created.addService(csi.Identity.service, handlersOf<IdentityHandlers>(identity, log));
    }, observe);
    return new WaitingSocket(grpc!, server, () => resolve(true));
  }

  /**
   * Lets a service answer too, and those who wait know: until asked to end (calls under way are
   * finished), or until the right to answer is lost (rejects with the reason).
   */
  async serve(part: CsiPart, signal: AbortSignal, lost: AbortSignal): Promise<void> {
    part.addTo(this.#grpc);
    this.#becomeReady();
    const ended = AbortSignal.any([signal, lost]);
    if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
    if (lost.aborted) {
      await this.abort();
      throw lost.reason;
    }
    await this.#server.drain();
  }

  /** Ends every call and removes the socket. */
  async abort(): Promise<void> {
    await this.#server.abort();
  }
}

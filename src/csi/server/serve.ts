import type { Server } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import type { IdentityHandlers } from '../../generated/csi/v1/Identity.ts';
import { version } from '../version.ts';
import { identityOperations } from './identity.ts';
import type { CallObserver } from './observe.ts';
import { csi } from './protocols.ts';
import { SocketServer } from './server.ts';
import { handlersOf } from './service.ts';

/** What lives with a CSI socket: a service that answers there, beside the identity service, or what depends on it. */
export interface CsiPart {
  /** Called before the socket answers: for a service. */
  addTo?(server: Server): void;
  /** Called once the socket answers: for what makes it known to others. */
  afterListening?(): Promise<void>;
  /** Called before the socket stops to take calls. */
  beforeClosing?(): Promise<void>;
}

/** What a CSI socket is served with. */
export interface CsiSocket {
  readonly socket: string;
  readonly driver: string;
  readonly parts: readonly CsiPart[];
  readonly log: Logger;
  /** Asks to end. */
  readonly signal: AbortSignal;
  /** Aborts when the right to answer is lost. */
  readonly lost?: AbortSignal;
  /** Told of each answered call. */
  readonly observe?: CallObserver;
}

/**
 * Answers on a CSI socket until asked to end (calls under way are finished), or until the right to
 * answer is lost (nothing more is answered; rejects with the reason).
 */
export async function serveCsi({ socket, driver, parts, log, signal, lost, observe }: CsiSocket): Promise<void> {
  const ended = lost === undefined ? signal : AbortSignal.any([signal, lost]);
  ended.throwIfAborted();
  const identity = handlersOf<IdentityHandlers>(identityOperations(driver, version()), log);
  const server = await SocketServer.listen(socket, (grpc) => {
    grpc.addService(csi.Identity.service, identity);
    for (const part of parts) part.addTo?.(grpc);
  }, observe);
  log.info('serving', { socket, driver });
  let orderly = false;
  try {
    for (const part of parts) await part.afterListening?.();
    if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
    lost?.throwIfAborted();
    for (const part of parts) await part.beforeClosing?.();
    orderly = true;
  } finally {
    await (orderly ? server.drain() : server.abort());
  }
}

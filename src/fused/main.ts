import type { Logger } from 'winston';
import { socketPath } from '../csi/endpoint.ts';
import { fused } from '../csi/protocols.ts';
import { SocketServer } from '../csi/server.ts';
import { handlersOf } from '../csi/service.ts';
import type { FusedHandlers } from '../generated/famfs/fused/v1/Fused.ts';
import type { ConfiguredPool } from './identify.ts';
import { fusedOperations } from './service.ts';
import { Sessions, type PoolMembers } from './sessions.ts';

export interface FusedOptions {
  readonly pools: readonly ConfiguredPool[];
  /** What is local to this host and gone after a reboot: mounts, overrides, session records. */
  readonly hostDirectory: string;
  /** The control socket: `unix:///path`, or the path. */
  readonly endpoint: string;
  readonly log: Logger;
  /** Ends the service. */
  readonly signal: AbortSignal;
  readonly members?: PoolMembers;
}

/**
 * Runs a host's data plane until the signal: adopts the sessions of an earlier run, serves the control
 * socket, and at the end unmounts what is not in use. Sessions in use go on without it.
 */
export async function runFused(options: FusedOptions): Promise<void> {
  const { pools, hostDirectory, log, signal, members } = options;
  const sessions = new Sessions({ pools, hostDirectory, log, ...(members === undefined ? {} : { members }) });
  await sessions.adopt();
  for (const { name, problem } of sessions.list()) {
    if (problem !== undefined) log.warn('pool cannot be served', { name, problem });
  }
  const handlers = handlersOf<FusedHandlers>(fusedOperations(sessions, hostDirectory), log);
  const server = await SocketServer.listen(socketPath(options.endpoint) ?? options.endpoint, (grpc) => {
    grpc.addService(fused.Fused.service, handlers as never);
  });
  log.info('serving', { endpoint: options.endpoint });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.drain();
  await sessions.stop();
}

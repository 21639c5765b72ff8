import fs from 'node:fs';
import type { Server } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import { identityOperations } from '../csi/identity.ts';
import { createLog } from '../csi/log.ts';
import { csi } from '../csi/protocols.ts';
import { SocketServer } from '../csi/server.ts';
import { handlersOf } from '../csi/service.ts';
import type { IdentityHandlers } from '../generated/csi/v1/Identity.ts';
import type { RoleOptions } from './role-options.ts';

/** What a role runs with besides its options. */
export interface RoleContext {
  readonly log: Logger;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

/**
 * Runs a role until SIGTERM or SIGINT, and ends the process: with 0 when it was asked to end, else
 * with 1 and the reason in the log. A second signal ends it at once.
 */
export async function runRole(
  role: string, options: RoleOptions, run: (options: RoleOptions, context: RoleContext) => Promise<void>,
): Promise<never> {
  const log = createLog(options.logLevel, role);
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info('stopping', { signal: name });
      stopping.abort(new Error(`stopped by ${name}`));
    });
  }
  let code = 0;
  try {
    await run(options, { log, signal: stopping.signal });
    log.info('stopped');
  } catch (error) {
    if (!stopping.signal.aborted) {
      code = 1;
      log.error('ended', { reason: error instanceof Error ? error.message : String(error) });
    }
  }
  await new Promise((resolve) => log.end(resolve));
  process.exit(code);
}

/** Part of what answers on a CSI socket. */
export interface CsiPart {
  addTo(server: Server): void;
}

/**
 * Answers on the CSI socket until asked to end (calls under way are finished), or until the right
 * to answer is lost (nothing more is answered; rejects with the reason).
 */
export async function serveCsi(
  options: RoleOptions, { log, signal }: RoleContext, parts: readonly CsiPart[], lost?: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  lost?.throwIfAborted();
  const identity = handlersOf<IdentityHandlers>(identityOperations(options.driverName, version()), log);
  const server = await SocketServer.listen(options.endpoint, (grpc) => {
    grpc.addService(csi.Identity.service, identity);
    for (const part of parts) part.addTo(grpc);
  });
  log.info('serving', { endpoint: options.endpoint, driver: options.driverName });
  const ended = lost === undefined ? signal : AbortSignal.any([signal, lost]);
  if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
  if (lost?.aborted) {
    await server.abort();
    throw lost.reason;
  }
  await server.drain();
}

function version(): string {
  const text = fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

import type { Logger } from 'winston';
import { createLog } from '../csi/log.ts';
import { serveCsi, type CsiPart } from '../csi/serve.ts';
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

/** Answers on the CSI socket of these options until asked to end, or until `lost` aborts. */
export function serveRole(
  options: RoleOptions, { log, signal }: RoleContext, parts: readonly CsiPart[], lost?: AbortSignal,
): Promise<void> {
  const { endpoint, driverName: driver } = options;
  return serveCsi({ socket: endpoint, driver, parts, log, signal, ...(lost === undefined ? {} : { lost }) });
}

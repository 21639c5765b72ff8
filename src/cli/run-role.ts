import type { Logger } from 'winston';
import { createLog } from '../csi/log.ts';
import { type CsiPart, serveCsi } from '../csi/server/serve.ts';
import { messageOf } from '../famfs/errors.ts';
import { addCallHistogram } from '../metrics/calls.ts';
import { Health } from '../metrics/health.ts';
import { HttpEndpoint } from '../metrics/http-endpoint.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { RoleOptions } from './role-options.ts';

/** What a role runs with besides its options. */
export interface RoleContext {
  readonly log: Logger;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
  /** What /readyz answers; the process is ready until a role names an obstacle. */
  readonly health: Health;
  /** What /metrics answers. */
  readonly metrics: Metrics;
}

/**
 * Runs a role until SIGTERM or SIGINT, and ends the process: with 0 when it was asked to end, else
 * with 1 and the reason in the log. A second signal ends it at once.
 */
export async function runRole(
  role: string, options: RoleOptions, run: (options: RoleOptions, context: RoleContext) => Promise<void>,
): Promise<never> {
  const log = createLog(options.logLevel, role);
  const context = { log, health: new Health(), metrics: new Metrics() };
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info('stopping', { signal: name });
      context.health.set('process', 'it is ending');
      stopping.abort(new Error(`stopped by ${name}`));
    });
  }
  let code = 0;
  try {
    if (options.httpPort > 0) await serveHttp(options.httpPort, context);
    await run(options, { ...context, signal: stopping.signal });
    log.info('stopped');
  } catch (error) {
    if (!stopping.signal.aborted) {
      code = 1;
      log.error('ended', { reason: messageOf(error) });
    }
  }
  await new Promise((resolve) => log.end(resolve));
  process.exit(code);
}

/** Answers on the CSI socket of these options until asked to end, or until `lost` aborts. */
export function serveRole(
  options: RoleOptions, { log, signal, metrics }: RoleContext, parts: readonly CsiPart[], lost?: AbortSignal,
): Promise<void> {
  const observe = addCallHistogram(metrics, 'famfs_csi_call_seconds', 'CSI calls by method and gRPC code');
  const { endpoint, driverName: driver } = options;
  return serveCsi({ socket: endpoint, driver, parts, log, signal, observe, ...(lost === undefined ? {} : { lost }) });
}

/** Health and metrics until the process ends, while it drains too. */
async function serveHttp(port: number, context: Omit<RoleContext, 'signal'>): Promise<void> {
  context.metrics.addProcess();
  await HttpEndpoint.listen(port, context);
  context.log.info('telling health and metrics', { port });
}

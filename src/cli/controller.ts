import { Controller } from '../controller/controller.ts';
import { WaitingSocket } from '../csi/server/waiting-socket.ts';
import { addControllerMetrics } from '../metrics/controller-metrics.ts';
import { openClusterState } from './cluster-state.ts';
import { requirePools, type RoleOptions } from './role-options.ts';
import { type RoleContext, runRole, serveRole } from './run-role.ts';

/** Makes, deletes and attaches volumes while it holds the lease. */
export function runController(options: RoleOptions): Promise<never> {
  return runRole('controller', options, run);
}

async function run(options: RoleOptions, context: RoleContext): Promise<void> {
  const { sidecarEndpoint: socket, driverName: driver, endpoint: target } = options;
  const leader = reportLeader(context.metrics); // first of all: a standby is well from the start, and leads nothing
  if (socket === undefined) return serve(options, context, leader);
  const sidecars = await WaitingSocket.open({ socket, driver, target });
  try {
    await serve(options, context, leader, sidecars);
  } catch (error) {
    sidecars.failed.throwIfAborted(); // the reason, where waiting has only been broken off
    throw error;
  } finally {
    await sidecars.abort();
  }
}

/** Waits for the lease and answers calls, of sidecars too; whatever ends, the others end with it. */
async function serve(options: RoleOptions, context: RoleContext, leader: Controller[], sidecars?: WaitingSocket): Promise<void> {
  const failures = sidecars === undefined ? [] : [sidecars.failed];
  const controller = await startController(options, { ...context, signal: AbortSignal.any([context.signal, ...failures]) }, leader);
  try {
    const parts = [controller, ...(sidecars === undefined ? [] : [sidecars])];
    await serveRole(options, context, parts, AbortSignal.any([controller.lost, ...failures]));
  } finally {
    await controller.stop();
  }
}

/** Has the metrics tell of the controller that is put into the answer, as long as it leads. */
function reportLeader(metrics: RoleContext['metrics']): Controller[] {
  const leader: Controller[] = [];
  addControllerMetrics(metrics, () => leader.find(({ lost }) => !lost.aborted)?.figures());
  return leader;
}

/** Starts the controller of these options; resolves when it may answer calls. Until then it is a healthy standby. */
export async function startController(
  options: RoleOptions, { log, signal, metrics }: RoleContext, leader = reportLeader(metrics),
): Promise<Controller> {
  const controller = await Controller.start({
    pools: requirePools(options), state: await openClusterState(options, log), hostDirectory: options.hostDir,
    hostId: options.nodeId, driver: options.driverName, scrubRate: options.scrubRate, log, signal,
  });
  leader.push(controller);
  return controller;
}

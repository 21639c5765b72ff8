import type { Command } from 'commander';
import { Controller } from '../controller/controller.ts';
import { WaitingSocket } from '../csi/server/waiting-socket.ts';
import { addControllerMetrics } from '../metrics/controller-metrics.ts';
import { openClusterState } from './cluster-state.ts';
import { requirePools, roleCommand, type RoleOptions } from './role-options.ts';
import { observeCalls, type RoleContext, runRole, serveRole } from './run-role.ts';

/** `famfs-csi controller`: makes, deletes and attaches volumes while it holds the lease. */
export function controllerCommand(): Command {
  return roleCommand('controller', 'serve the CSI controller: allocate volumes, the only writer of the pools')
    .action((options: RoleOptions) => runRole('controller', options, run));
}

async function run(options: RoleOptions, context: RoleContext): Promise<void> {
  const { log, signal } = context;
  const observe = observeCalls(context);
  const { sidecarEndpoint: socket, driverName: driver } = options;
  const sidecars = socket === undefined ? undefined : await WaitingSocket.open({ socket, driver, log, observe });
  try {
    const controller = await startController(options, context);
    try {
      const { lost } = controller;
      await Promise.all([
        serveRole(options, context, [controller], lost, observe),
        sidecars?.serve(controller, signal, lost),
      ]);
    } finally {
      await sidecars?.abort();
      await controller.stop();
    }
  } finally {
    await sidecars?.abort();
  }
}

/** Starts the controller of these options; resolves when it may answer calls. Until then it is a healthy standby. */
export async function startController(options: RoleOptions, { log, signal, metrics }: RoleContext): Promise<Controller> {
  const leader: Controller[] = [];
  addControllerMetrics(metrics, () => leader.find(({ lost }) => !lost.aborted)?.figures());
  const controller = await Controller.start({
    pools: requirePools(options), state: await openClusterState(options, log), hostDirectory: options.hostDir,
    hostId: options.nodeId, driver: options.driverName, scrubRate: options.scrubRate, log, signal,
  });
  leader.push(controller);
  return controller;
}

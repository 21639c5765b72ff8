import type { Command } from 'commander';
import { Controller } from '../controller/controller.ts';
import { openClusterState } from './cluster-state.ts';
import { requirePools, roleCommand, type RoleOptions } from './role-options.ts';
import { runRole, serveRole, type RoleContext } from './run-role.ts';

/** `famfs-csi controller`: makes, deletes and attaches volumes while it holds the lease. */
export function controllerCommand(): Command {
  return roleCommand('controller', 'serve the CSI controller: allocate volumes, the only writer of the pools')
    .action((options: RoleOptions) => runRole('controller', options, run));
}

async function run(options: RoleOptions, context: RoleContext): Promise<void> {
  const controller = await startController(options, context);
  try {
    await serveRole(options, context, [controller], controller.lost);
  } finally {
    await controller.stop();
  }
}

/** Starts the controller of these options; resolves when it may answer calls. */
export async function startController(options: RoleOptions, { log, signal }: RoleContext): Promise<Controller> {
  return Controller.start({
    pools: requirePools(options), state: await openClusterState(options, log), hostDirectory: options.hostDir,
    hostId: options.nodeId, driver: options.driverName, log, signal,
  });
}

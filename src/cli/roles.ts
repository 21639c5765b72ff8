import type { Command } from 'commander';
import { roleCommand, type RoleOptions } from './role-options.ts';

/** What the data plane is told; a pool is something to it and to the controller. */
const everywhere = ['kubernetes', 'stateDir', 'hostDir', 'nodeId', 'httpPort', 'driverName', 'logLevel'] as const;
const pools = ['pool', 'poolsFile'] as const;

/** `famfs-csi controller` */
export function controllerCommand(): Command {
  return roleCommand('controller', [...pools, ...everywhere, 'membersNamespace', 'endpoint', 'sidecarEndpoint', 'scrubRate'])
    .action(async (options: RoleOptions) => (await import('./controller.ts')).runController(options));
}

/** `famfs-csi node` */
export function nodeCommand(): Command {
  return roleCommand('node', [...everywhere, 'endpoint', 'fusedEndpoint', 'registrationDir'])
    .action(async (options: RoleOptions) => (await import('./node.ts')).runNode(options));
}

/** `famfs-csi fused` */
export function fusedCommand(): Command {
  return roleCommand('fused', [...pools, ...everywhere, 'membersNamespace', 'fusedEndpoint'])
    .action(async (options: RoleOptions) => (await import('./fused.ts')).runFusedRole(options));
}

/** `famfs-csi all` */
export function allCommand(): Command {
  return roleCommand('all', [...pools, ...everywhere, 'endpoint', 'fusedEndpoint', 'registrationDir', 'scrubRate'])
    .action(async (options: RoleOptions) => (await import('./all.ts')).runAll(options));
}

import type { Command } from 'commander';
import { bootId } from '../famfs/host.ts';
import { runFused } from '../fused/main.ts';
import { openClusterState } from './cluster-state.ts';
import { requirePools, roleCommand, type RoleOptions } from './role-options.ts';
import { type RoleContext, runRole } from './run-role.ts';

/** `famfs-csi fused`: the data plane of this host. With the first process of a container, all others of it end. */
export function fusedCommand(): Command {
  return roleCommand('fused', 'run the data plane of this host: one FUSE session per pool')
    .action((options: RoleOptions) => runRole('fused', options, (each, context) => startFused(each, context, { endsSessions: process.pid === 1 })));
}

/** Runs the data plane of these options until the context's signal. */
export async function startFused(options: RoleOptions, context: RoleContext, { endsSessions = false } = {}): Promise<void> {
  const { poolsFile, hostDir: hostDirectory, fusedEndpoint: endpoint, nodeId: host } = options;
  const { members, notices } = await openClusterState(options, context.log);
  return runFused({
    ...context, pools: requirePools(options), hostDirectory, endpoint, endsSessions, notices,
    ...(poolsFile === undefined ? {} : { poolsFile }),
    member: { members, host, bootId: bootId() },
  });
}

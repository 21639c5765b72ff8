import { bootId } from '../famfs/host.ts';
import { runFused } from '../fused/main.ts';
import { openClusterState } from './cluster-state.ts';
import { requirePools, type RoleOptions } from './role-options.ts';
import { type RoleContext, runRole } from './run-role.ts';

/** Runs the data plane of this host. With the first process of a container, all others of it end. */
export function runFusedRole(options: RoleOptions): Promise<never> {
  return runRole('fused', options, (each, context) => startFused(each, context, { endsSessions: process.pid === 1 }));
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

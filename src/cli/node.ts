import { Node } from '../node/node.ts';
import { openNodes } from './cluster-state.ts';
import type { RoleOptions } from './role-options.ts';
import { type RoleContext, runRole, serveRole } from './run-role.ts';

/** Stages and publishes volumes on this host. */
export function runNode(options: RoleOptions): Promise<never> {
  return runRole('node', options, run);
}

async function run(options: RoleOptions, context: RoleContext): Promise<void> {
  const node = await startNode(options, context);
  try {
    await serveRole(options, context, [node]);
  } finally {
    await node.stop();
  }
}

/** Starts the node plugin of these options; resolves when the data plane has found a pool. */
export function startNode(options: RoleOptions, context: RoleContext): Promise<Node> {
  const { hostDir: hostDirectory, nodeId, fusedEndpoint: fusedSocket, driverName: driver, registrationDir, endpoint } = options;
  return Node.start({
    ...context, nodes: openNodes(options, context.log), hostDirectory, nodeId, fusedSocket, driver,
    ...(registrationDir === undefined ? {} : { kubelet: { directory: registrationDir, endpoint } }),
  });
}

import type { Logger } from 'winston';
import { openDirectoryState } from '../state/directory.ts';
import type { ClusterState, Nodes } from '../state/interfaces.ts';
import type { RoleOptions } from './role-options.ts';

/** Where the cluster's state is. */
export type StateOptions = Pick<RoleOptions, 'kubernetes' | 'membersNamespace' | 'stateDir' | 'driverName'>;

/** What these options say the cluster's state is kept in. */
export async function openClusterState(
  { kubernetes: namespace, membersNamespace, stateDir, driverName: driver }: StateOptions, log: Logger,
): Promise<ClusterState> {
  if (namespace !== undefined) {
    const { openKubernetesState } = await import('../kube/cluster.ts'); // half a second and 90 MB that others spare
    return openKubernetesState({ namespace, driver, log, ...(membersNamespace === undefined ? {} : { membersNamespace }) });
  }
  return openDirectoryState(stateDir, log);
}

/** Where a node plugin of these options is announced. With Kubernetes the kubelet does it, in its CSINode. */
export function openNodes({ kubernetes, stateDir }: RoleOptions, log: Logger): Pick<Nodes, 'announce'> {
  if (kubernetes !== undefined) return { announce: async () => undefined };
  return openDirectoryState(stateDir, log).nodes;
}

import { clusterUuid } from '../state/directory.ts';
import type { RoleOptions } from './role-options.ts';

/** How long the API server may take to answer. */
const ANSWER_MS = 10_000;
/** When somebody who waits at a terminal is told for what. */
const NOTICE_MS = 1_000;

/**
 * The UUID of the cluster that these options mean: that of Kubernetes where they name a namespace, else that of
 * the state directory. Throws within ANSWER_MS when the API server does not answer, or not with the UUID.
 */
export async function commandCluster({ kubernetes, stateDir }: Pick<RoleOptions, 'kubernetes' | 'stateDir'>): Promise<string> {
  if (kubernetes === undefined) return clusterUuid(stateDir);
  const { describeApiError, KubeApi } = await import('../kube/client.ts'); // half a second that others spare
  const { readClusterUuid } = await import('../kube/cluster.ts');
  const notice = setTimeout(() => {
    console.error(`famfs-csi: waiting for the API server to tell the UUID of this cluster, for ${ANSWER_MS / 1000} s at most`);
  }, NOTICE_MS);
  try {
    return await readClusterUuid(KubeApi.connect().withCallTimeout(ANSWER_MS));
  } catch (error) {
    throw new Error(`the UUID of this cluster cannot be read: ${describeApiError(error)}. Say it with --cluster, as ` +
      'kubectl get namespace kube-system -o jsonpath={.metadata.uid} prints it', { cause: error });
  } finally {
    clearTimeout(notice);
  }
}

/** The rights of each program of the driver, as the chart grants them: tests run with no more than these. */
import { RbacAuthorizationV1Api, type V1PolicyRule } from '@kubernetes/client-node';
import type { ApiServer } from './api-server.ts';

interface Rights {
  readonly namespaced: V1PolicyRule[];
  readonly cluster: V1PolicyRule[];
}

const rule = (apiGroup: string, resource: string, ...verbs: string[]): V1PolicyRule => (
  { apiGroups: [apiGroup], resources: [resource], verbs });
const leases = (...verbs: string[]) => rule('coordination.k8s.io', 'leases', ...verbs);

const rights = {
  controller: {
    namespaced: [leases('get', 'list', 'create', 'update', 'delete')],
    cluster: [
      rule('', 'events', 'create', 'patch'),
      { ...rule('', 'namespaces', 'get'), resourceNames: ['kube-system'] },
      rule('', 'nodes', 'get', 'list', 'watch', 'patch'),
      rule('storage.k8s.io', 'csinodes', 'get', 'list', 'watch'),
      rule('storage.k8s.io', 'storageclasses', 'list', 'watch'),
      rule('', 'persistentvolumeclaims', 'list', 'watch'),
    ],
  },
  fused: {
    namespaced: [leases('get', 'create', 'update', 'delete')],
    cluster: [rule('', 'persistentvolumes', 'list'), rule('', 'events', 'create', 'patch')],
  },
  check: {
    namespaced: [leases('list'), rule('', 'events', 'create', 'patch')],
    cluster: [rule('storage.k8s.io', 'volumeattachments', 'list'), rule('', 'persistentvolumes', 'list'), rule('', 'pods', 'list')],
  },
  clean: {
    namespaced: [leases('list', 'delete'), rule('', 'pods', 'list')],
    cluster: [rule('', 'nodes', 'list', 'patch')],
  },
} satisfies Record<string, Rights>;

/** A program of the driver. */
export type Program = keyof typeof rights;

/** Grants a program's user its rights for a release in this namespace. */
export async function grant(server: ApiServer, user: Program, namespace: string): Promise<void> {
  const rbac = server.api().config.makeApiClient(RbacAuthorizationV1Api);
  const { namespaced, cluster } = rights[user];
  const name = `${user}-${namespace}`;
  const metadata = { name };
  const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', name };
  await rbac.createNamespacedRole({ namespace, body: { metadata, rules: namespaced } });
  await rbac.createNamespacedRoleBinding({ namespace, body: { metadata, subjects, roleRef: { ...roleRef, kind: 'Role' } } });
  await rbac.createClusterRole({ body: { metadata, rules: cluster } });
  await rbac.createClusterRoleBinding({ body: { metadata, subjects, roleRef: { ...roleRef, kind: 'ClusterRole' } } });
}

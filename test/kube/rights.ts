/** The rights of each program of the driver, as the chart grants them: tests run with no more than these. */
import { RbacAuthorizationV1Api, type V1PolicyRule } from '@kubernetes/client-node';
import { statusOf } from '../../src/kube/client.ts';
import { MembersSign } from '../../src/kube/members-sign.ts';
import { defaultMembersNamespace, Names } from '../../src/kube/names.ts';
import type { ApiServer } from './api-server.ts';

interface Rights {
  readonly namespaced: V1PolicyRule[];
  /** In the namespace of the members. */
  readonly members: V1PolicyRule[];
  readonly cluster: V1PolicyRule[];
}

const rule = (apiGroup: string, resource: string, ...verbs: string[]): V1PolicyRule => (
  { apiGroups: [apiGroup], resources: [resource], verbs });
const leases = (...verbs: string[]) => rule('coordination.k8s.io', 'leases', ...verbs);
const namespace = rule('', 'namespaces', 'get');

const rights = {
  controller: {
    namespaced: [leases('get', 'list', 'create', 'update', 'delete')],
    members: [leases('get', 'list', 'delete'), namespace],
    cluster: [
      rule('', 'events', 'create', 'patch'),
      { ...rule('', 'namespaces', 'get'), resourceNames: ['kube-system'] },
      rule('', 'nodes', 'get', 'list', 'watch', 'patch'),
      rule('storage.k8s.io', 'csinodes', 'get', 'list', 'watch'),
      rule('storage.k8s.io', 'storageclasses', 'list', 'watch'),
      rule('', 'persistentvolumeclaims', 'list', 'watch'),
      rule('', 'persistentvolumes', 'list'),
    ],
  },
  fused: {
    namespaced: [leases('get', 'list')],
    members: [leases('get', 'list', 'create', 'update', 'delete'), namespace],
    cluster: [
      rule('', 'persistentvolumes', 'list'), rule('', 'events', 'create', 'patch'),
      { ...rule('', 'namespaces', 'get'), resourceNames: ['kube-system'] },
    ],
  },
  check: {
    namespaced: [leases('list'), rule('', 'events', 'create', 'patch')],
    members: [],
    cluster: [rule('storage.k8s.io', 'volumeattachments', 'list'), rule('', 'persistentvolumes', 'list'), rule('', 'pods', 'list')],
  },
  clean: {
    namespaced: [leases('list', 'delete'), rule('', 'pods', 'list')],
    members: [leases('list', 'delete')],
    cluster: [rule('', 'nodes', 'list', 'patch')],
  },
} satisfies Record<string, Rights>;

/** A program of the driver. */
export type Program = keyof typeof rights;

/** Grants a program's user its rights for a release in this namespace, whose members have one of their own. */
export async function grant(server: ApiServer, user: Program, namespace: string): Promise<void> {
  await ensureNamespace(server, defaultMembersNamespace(namespace));
  const rbac = server.api().config.makeApiClient(RbacAuthorizationV1Api);
  const { namespaced, members, cluster } = rights[user];
  const name = `${user}-${namespace}`;
  const metadata = { name };
  const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', name };
  for (const [place, rules] of [[namespace, namespaced], [defaultMembersNamespace(namespace), members]] as const) {
    await rbac.createNamespacedRole({ namespace: place, body: { metadata, rules } });
    await rbac.createNamespacedRoleBinding({ namespace: place, body: { metadata, subjects, roleRef: { ...roleRef, kind: 'Role' } } });
  }
  await rbac.createClusterRole({ body: { metadata, rules: cluster } });
  await rbac.createClusterRoleBinding({ body: { metadata, subjects, roleRef: { ...roleRef, kind: 'ClusterRole' } } });
}

/** As a release does: makes a namespace where there is none. */
export async function ensureNamespace(server: ApiServer, name: string): Promise<void> {
  await server.api().core.createNamespace({ body: { metadata: { name } } }).catch((error: unknown) => {
    if (statusOf(error) !== 409) throw error;
  });
}

/** As the first controller that leads does: says where members are. */
export async function putUpSign(server: ApiServer, namespace: string, driver: string): Promise<void> {
  const membersNamespace = defaultMembersNamespace(namespace);
  await ensureNamespace(server, membersNamespace);
  await new MembersSign(server.api(), { namespace, membersNamespace }, new Names(driver)).putUp();
}

/**
 * The pods' network: each node routes to the pod ranges of the others, and the standard CNI plugins
 * do the rest. There is no agent, so routes are set again after a node was restarted.
 */
import { untilSo } from '../support/until.ts';
import { type Cluster, kubectl } from './cluster.ts';
import { docker, inNode } from './docker.ts';

interface Node {
  name: string;
  /** Range of its pods' addresses. */
  pods: string;
  address: string;
}

const conflist = '/etc/cni/net.d/10-e2e.conflist';

/** Connects the pods of all nodes; also after a restart of one, whose routes and rules are lost then. */
export async function connectNodes(cluster: Cluster): Promise<void> {
  const nodes = await Promise.all([cluster.controlPlane, ...cluster.workers].map((name) => nodeOf(cluster, name)));
  const pods = /podSubnet: *"?([\d./]+)/.exec(await kubectl(cluster, ['-n', 'kube-system', 'get', 'configmap', 'kubeadm-config', '-o', 'yaml']))?.[1];
  if (pods === undefined) throw new Error('ConfigMap kube-system/kubeadm-config names no podSubnet');
  await Promise.all(nodes.map(async (node) => {
    const others = nodes.filter((other) => other !== node);
    const routes = others.map((other) => `ip route replace ${other.pods} via ${other.address}`);
    await inNode(node.name, `${routes.join('\n')}\nnft -f -`, masquerade(pods, node));
    // Renamed into place: containerd reads whatever ends in .conflist the moment it appears.
    await inNode(node.name, `cat >${conflist}.new && mv ${conflist}.new ${conflist}`, JSON.stringify(plugins(node)));
  }));
}

async function nodeOf(cluster: Cluster, name: string): Promise<Node> {
  const address = await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name);
  const range = () => kubectl(cluster, ['get', 'node', name, '--ignore-not-found', '-o', 'jsonpath={.spec.podCIDR}']);
  const pods = await untilSo(`a range of pod addresses for node ${name}`, async () => await range() || undefined);
  return { name, pods, address: address.trim() };
}

/** Pods reach the outside under the node's address; the rule's newline is part of the syntax. */
function masquerade(pods: string, node: Node): string {
  return `table ip famfs-e2e
delete table ip famfs-e2e
table ip famfs-e2e {
  chain outgoing {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${pods} ip daddr != ${pods} ip daddr != ${node.address} masquerade
  }
}
`;
}

function plugins(node: Node): object {
  const ipam = {
    type: 'host-local', dataDir: '/run/cni-ipam-state', routes: [{ dst: '0.0.0.0/0' }], ranges: [[{ subnet: node.pods }]],
  };
  return {
    cniVersion: '0.3.1', name: 'e2e',
    plugins: [
      { type: 'ptp', ipMasq: false, mtu: 1500, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

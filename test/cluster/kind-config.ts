/** kind's configuration of our cluster. */

/** Where the nodes see the shared directory of the host. */
export const simMount = '/dev/sim';

const kubelet = {
  kind: 'KubeletConfiguration',
  // Refused by default from 1.35 on; where the host has cgroup v2 it says nothing.
  failCgroupV1: false,
  // A detach waits for the node's next status: the default of 10 s would make tests wait.
  nodeStatusUpdateFrequency: '2s',
};

// The patch replaces kind's own list, in which preflight is.
const init = { kind: 'InitConfiguration', skipPhases: ['preflight', 'addon/coredns'] };

/** The configuration, which JSON is YAML enough for. */
export function clusterConfig(options: { simDirectory: string; stock?: boolean }): object {
  const extraMounts = [{ hostPath: options.simDirectory, containerPath: simMount }];
  const nodes = ['control-plane', 'worker', 'worker'].map((role) => ({ role, extraMounts }));
  const common = { kind: 'Cluster', apiVersion: 'kind.x-k8s.io/v1alpha4', nodes };
  if (options.stock) return { ...common, kubeadmConfigPatches: [JSON.stringify(kubelet)] };
  return {
    ...common,
    networking: { ipFamily: 'ipv4', disableDefaultCNI: true, kubeProxyMode: 'nftables' },
    kubeadmConfigPatches: [init, kubelet].map((patch) => JSON.stringify(patch)),
  };
}

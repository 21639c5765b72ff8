import assert from 'node:assert/strict';
import { clusterConfig, simMount } from '../../cluster/kind-config.ts';

/** The parts of the configuration that the tests look at. */
interface Config {
  nodes: { role: string; extraMounts: object[] }[];
  networking?: object;
  kubeadmConfigPatches: string[];
}

const simDirectory = '/dev/shm/x';
const patches = (config: Config) => config.kubeadmConfigPatches.map((patch) => JSON.parse(patch) as { kind: string; skipPhases?: string[] });

describe('configuration of the cluster', () => {
  for (const stock of [false, true]) {
    const config = clusterConfig({ simDirectory, stock }) as Config;

    it(`shows the shared directory to every node${stock ? ' of a stock cluster' : ''}`, () => {
      assert.deepEqual(config.nodes.map((node) => node.role), ['control-plane', 'worker', 'worker']);
      for (const node of config.nodes) assert.deepEqual(node.extraMounts, [{ hostPath: simDirectory, containerPath: simMount }]);
    });
  }

  it('skips what our nodes cannot do, and still the checks that kind skips', () => {
    const init = patches(clusterConfig({ simDirectory }) as Config).find((patch) => patch.kind === 'InitConfiguration');
    assert.deepEqual(init?.skipPhases, ['preflight', 'addon/coredns']);
  });

  it("leaves network and names of a stock cluster to kind's own images", () => {
    const config = clusterConfig({ simDirectory, stock: true }) as Config;
    assert.equal(config.networking, undefined);
    assert.deepEqual(patches(config).map((patch) => patch.kind), ['KubeletConfiguration']);
  });
});

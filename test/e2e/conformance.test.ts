/** csi-sanity against the sockets of the deployed driver, on a worker. */
import { join } from 'node:path';
import { judgeChecks } from '../sanity/judge.ts';
import { runSanity } from '../sanity/run-sanity.ts';
import { nodeCommandOn } from './support/cluster.ts';
import { environment, get, run } from './support/kubectl.ts';
import { leader } from './support/leader.ts';
import { Names } from './support/objects.ts';
import { promise } from './support/scene.ts';

promise('csi-sanity v5.4.0', () => {
  it('passes against the deployed controller and node plugin of a worker', async () => {
    // Below the kubelet's directory, where alone mounts of the node plugin reach the node.
    const directory = '/var/lib/kubelet/sanity';
    const { pod, node } = await leader();
    const { metadata: { uid } } = await get('pod', pod, Names.namespace);
    const copied = await run('docker', ['cp', '-L', join(environment.programs, 'csi-sanity'), `${node}:/usr/local/bin/csi-sanity`]);
    if (copied.code !== 0) throw new Error(copied.stderr);
    await nodeCommandOn(node, ['mkdir', '-p', directory]);
    try {
      judgeChecks('deployed', await runSanity('csi-sanity', {
        endpoint: `/var/lib/kubelet/plugins/${Names.driver}/csi.sock`,
        controllerEndpoint: `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~empty-dir/socket/csi.sock`,
        directory, through: ['docker', 'exec', node], parameters: { pool: 'p0' },
      }));
    } finally {
      await nodeCommandOn(node, ['rm', '-rf', directory]);
    }
  });
});

/** What pods may expect of a volume besides its bytes. */
import assert from 'node:assert/strict';
import { apply, exec, kubectl } from './support/kubectl.ts';
import { claim, pod } from './support/objects.ts';
import { promise } from './support/scene.ts';
import { running } from './support/states.ts';
import { untilSo } from '../support/until.ts';

promise('a pod', (scene) => {
  it('that is not root writes through its fsGroup', async () => {
    const { namespace } = scene;
    const spec = { securityContext: { runAsUser: 1234, runAsGroup: 1234, runAsNonRoot: true, fsGroup: 5678 } };
    await apply(claim({ name: 'data', namespace }), pod({ name: 'user', namespace, claims: [{ claim: 'data', path: '/data' }], spec }));
    await running('user', namespace);
    const { stdout } = await exec('user', namespace, ['sh', '-c', 'id -u; stat -c "%g %a" /data /data/data']);
    assert.equal(stdout, '1234\n5678 2775\n5678 664\n');
    const wrote = await exec('user', namespace, ['sh', '-c', 'printf mine | dd of=/data/data conv=notrunc']);
    assert.equal(wrote.code, 0, wrote.stderr);
  });

  it('mounts a single file of a volume by its subPath', async () => {
    const { namespace } = scene;
    await apply(claim({ name: 'data', namespace }), pod({
      name: 'user', namespace, claims: [{ claim: 'data', path: '/data' }, { claim: 'data', path: '/file', subPath: 'data' }],
    }));
    await running('user', namespace);
    const wrote = await exec('user', namespace, ['sh', '-c', 'printf below | dd of=/file conv=notrunc']);
    assert.equal(wrote.code, 0, wrote.stderr);
    assert.equal((await exec('user', namespace, ['head', '-c', '5', '/data/data'])).stdout, 'below');
  });

  it('has its volume in the statistics of the kubelet', async () => {
    const { namespace, workers } = scene;
    const claims = [{ claim: 'data', path: '/data' }];
    await apply(claim({ name: 'data', namespace, size: '4Mi' }), pod({ name: 'user', namespace, claims, node: workers[0] }));
    await running('user', namespace);
    const metric = (name: string) => new RegExp(`^kubelet_volume_stats_${name}\\{namespace="${namespace}",persistentvolumeclaim="data"\\} (\\S+)`, 'm');
    const text = await untilSo('volume statistics', async () => {
      const metrics = await kubectl(['get', '--raw', `/api/v1/nodes/${workers[0]}/proxy/metrics`]);
      return metric('capacity_bytes').test(metrics) && metrics;
    });
    const value = (name: string) => Number(metric(name).exec(text)![1]);
    assert.equal(value('capacity_bytes'), 4 << 20);
    assert.equal(value('available_bytes'), 4 << 20, 'a pre-allocated volume must not look full');
    assert.equal(value('used_bytes'), 0);
  });

  it('gets the documented errors for what a volume cannot do, and its data stay', async () => {
    const { namespace } = scene;
    await apply(claim({ name: 'data', namespace }), pod({ name: 'user', namespace, claims: [{ claim: 'data', path: '/data' }] }));
    await running('user', namespace);
    const say = (script: string) => exec('user', namespace, ['sh', '-c', script]);
    assert.equal((await say('printf first | dd of=/data/data conv=notrunc')).code, 0);
    for (const [script, error] of [
      ['echo other > /data/data', /Invalid argument/],
      ['touch /data/new', /Operation not permitted/],
      ['mkdir /data/new', /Operation not permitted/],
      ['rm /data/data', /Operation not permitted/],
    ] as const) {
      const { code, stderr } = await say(script);
      assert.notEqual(code, 0, script);
      assert.match(stderr, error, script);
    }
    assert.equal((await say('head -c 5 /data/data; ls /data')).stdout, 'firstdata\n');
  });
});

/** Many pods, many hosts: read-only sharing, shared writing, and the modes that forbid either. */
import assert from 'node:assert/strict';
import { driverImage } from './support/cluster.ts';
import { apply, exec } from './support/kubectl.ts';
import { nodeCommand, scriptPod, scripts } from './support/load.ts';
import { claim, pod } from './support/objects.ts';
import { promise } from './support/scene.ts';
import { eventAbout, remove, running, succeeded } from './support/states.ts';

promise('sharing between nodes', (scene) => {
  it('lets pods on both nodes map read-only what one writer has finished', async () => {
    const { namespace, workers } = scene;
    await apply(
      scripts(namespace),
      claim({ name: 'data', namespace, mode: 'ReadWriteMany' }),
      scriptPod(
        { name: 'writer', namespace, claim: 'data', image: driverImage() },
        nodeCommand('/scripts/mapped.mjs', 'write', '/data/data', '4096', 'finished'),
      ),
    );
    await succeeded('writer', namespace);
    for (const [number, node] of workers.entries()) {
      const name = `reader-${number}`;
      const reader = scriptPod({ name, namespace, claim: 'data', node, image: driverImage() }, ['sleep', '1000000']);
      reader.spec.containers[0].volumeMounts[0].readOnly = true;
      await apply(reader);
      await running(name, namespace);
      const seen = await exec(name, namespace, nodeCommand('/scripts/mapped.mjs', 'read', '/data/data', '4096', '8'));
      assert.equal(seen.stdout, 'finished', seen.stderr);
      const refused = await exec(name, namespace, ['sh', '-c', 'echo no | dd of=/data/data conv=notrunc']);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /Read-only file system/);
    }
  });

  it('shows each of two writers on two nodes what the other wrote, by read(2)', async () => {
    const { namespace, workers } = scene;
    const claims = [{ claim: 'data', path: '/data' }];
    await apply(
      claim({ name: 'data', namespace, mode: 'ReadWriteMany' }),
      pod({ name: 'one', namespace, claims, node: workers[0] }),
      pod({ name: 'two', namespace, claims, node: workers[1] }),
    );
    await running('one', namespace);
    await running('two', namespace);
    for (const [from, to, place] of [['one', 'two', 0], ['two', 'one', 1]] as const) {
      const wrote = await exec(from, namespace, ['sh', '-c', `printf ${from} | dd of=/data/data bs=4096 seek=${place} conv=notrunc`]);
      assert.equal(wrote.code, 0, wrote.stderr);
      const read = await exec(to, namespace, ['sh', '-c', `dd if=/data/data bs=4096 skip=${place} count=1 2>/dev/null | head -c 3`]);
      assert.equal(read.stdout, from);
    }
  });

  it('keeps a ReadWriteOnce volume from a second node, and says which node has it', async () => {
    const { namespace, workers } = scene;
    const claims = [{ claim: 'data', path: '/data' }];
    await apply(claim({ name: 'data', namespace }), pod({ name: 'first', namespace, claims, node: workers[0] }));
    await running('first', namespace);
    await apply(pod({ name: 'second', namespace, claims, node: workers[1] }));
    await eventAbout('Pod', 'second', namespace, /FailedAttachVolume: Multi-Attach error|is published on node/);
    await remove('pod', ['first'], namespace);
    await running('second', namespace); // and it has it as soon as the first one is gone
  });

  it('keeps a ReadWriteOncePod volume from a second pod', async () => {
    const { namespace, workers } = scene;
    const claims = [{ claim: 'data', path: '/data' }];
    await apply(claim({ name: 'data', namespace, mode: 'ReadWriteOncePod' }), pod({ name: 'first', namespace, claims, node: workers[0] }));
    await running('first', namespace);
    await apply(pod({ name: 'second', namespace, claims }));
    await eventAbout('Pod', 'second', namespace, /FailedScheduling: .*ReadWriteOncePod/);
  });
});

/** Serial sharing: one pod at a time, wherever it runs, on the same memory. */
import assert from 'node:assert/strict';
import { driverImage } from './support/cluster.ts';
import { apply, exec } from './support/kubectl.ts';
import { nodeCommand, scriptPod, scripts } from './support/load.ts';
import { claim } from './support/objects.ts';
import { promise } from './support/scene.ts';
import { bound, remove, running } from './support/states.ts';

promise('serial sharing', (scene) => {
  it('shows a pod on the second node the bytes that a pod on the first one wrote, with mmap and write(2)', async () => {
    const { namespace, workers } = scene;
    const idle = ['sleep', '1000000'];
    const writer = { name: 'writer', namespace, claim: 'data', node: workers[0], image: driverImage() };
    await apply(scripts(namespace), claim({ name: 'data', namespace, size: '16Mi' }), scriptPod(writer, idle));
    await running('writer', namespace);
    const volume = await bound('data', namespace);
    assert.equal(volume.spec.capacity.storage, '16Mi');

    const mapped = await exec('writer', namespace, nodeCommand('/scripts/mapped.mjs', 'write', '/data/data', '5000000', 'by mmap'));
    assert.equal(mapped.code, 0, mapped.stderr);
    const written = await exec('writer', namespace, ['sh', '-c', 'printf "by write" | dd of=/data/data bs=1 seek=9000000 conv=notrunc']);
    assert.equal(written.code, 0, written.stderr);
    await remove('pod', ['writer'], namespace);

    await apply(scriptPod({ ...writer, name: 'reader', node: workers[1] }, idle));
    await running('reader', namespace);
    const copied = await exec('reader', namespace, ['sh', '-c', 'dd if=/data/data bs=1 skip=5000000 count=7 2>/dev/null']);
    assert.equal(copied.stdout, 'by mmap');
    const seen = await exec('reader', namespace, nodeCommand('/scripts/mapped.mjs', 'read', '/data/data', '9000000', '8'));
    assert.equal(seen.stdout, 'by write', seen.stderr);
  });
});

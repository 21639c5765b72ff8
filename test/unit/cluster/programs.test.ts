import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf, sources, withScratch } from '../../cluster/cache.ts';
import { kubernetesVersion, pinned } from '../../cluster/programs.ts';

const goMod = readFileSync(join(sources, 'go.mod'), 'utf8');

describe('programs of the cluster', () => {
  it('take every part of Kubernetes in the same version', () => {
    const versions = new Set([...goMod.matchAll(/^\t(k8s\.io\/\S+) => \1 (\S+)$/gm)].map(([, , version]) => version));
    assert.deepEqual([...versions], [kubernetesVersion.replace('v1.', 'v0.')]);
  });

  it('have the version that go.mod pins, and only such', () => {
    assert.match(pinned('sigs.k8s.io/kind'), /^v0\.33\./);
    assert.throws(() => pinned('example.org/none'), /requires no example\.org\/none/);
  });
});

describe('cache of the cluster', () => {
  it('tells texts apart that are the same when put together', () => {
    assert.notEqual(keyOf('ab', 'c'), keyOf('a', 'bc'));
    assert.equal(keyOf('ab', 'c'), keyOf('ab', 'c'));
  });

  it('keeps no scratch directory, not even of work that failed', async () => {
    let lent = '';
    await assert.rejects(withScratch((directory) => {
      lent = directory;
      assert.ok(existsSync(lent));
      return Promise.reject(new Error('no'));
    }), /no/);
    assert.ok(!existsSync(lent));
  });
});

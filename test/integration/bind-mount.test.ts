/** The mounts of a node plugin as its host sees them: it has a mount namespace of its own, whose mounts propagate. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bindMount } from '../../src/node/bind-mount.ts';
import { mountAt } from '../../src/node/mounts.ts';
import { root } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';

/** Mounts in a namespace inside this one; answers the options that this one sees. */
function seenByHost(options: readonly string[]): string[] {
  const directory = tempDir('bind');
  const [shared, source, target] = [directory, join(directory, 'source'), join(directory, 'target')];
  const code = `import { bindMount } from '${root}/src/node/bind-mount.ts';
    await bindMount(process.argv[1], process.argv[2], process.argv[3].split(','));`;
  const script = `set -e
    mount -t tmpfs tmpfs "$1"; mount --make-shared "$1"; mkdir "$2" "$3"
    unshare --mount --propagation unchanged "$4" --input-type=module -e "$5" "$2" "$3" "$6"
    grep " $3 " /proc/self/mountinfo | cut -d' ' -f6`;
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', shared, source, target, process.execPath, code, options.join()];
  return execFileSync('unshare', args, { encoding: 'utf8' }).trim().split(',');
}

describe('a bind mount of the node plugin', () => {
  for (const options of [['nosuid', 'nodev', 'ro'], ['noexec', 'nosuid', 'nodev', 'rw'], ['noatime', 'nosuid', 'nodev', 'rw']]) {
    it(`has ${options.join(',')} where the host and its pods see it`, () => {
      const seen = seenByHost(options);
      for (const option of options) assert.ok(seen.includes(option), `${option} is not among ${seen.join()}`);
    });
  }

  it('lets what is asked for last win', () => {
    const seen = seenByHost(['ro', 'exec', 'noexec', 'rw']);
    assert.ok(seen.includes('rw') && seen.includes('noexec'), seen.join());
  });

  it('that cannot be made says why, and mounts nothing', async () => {
    const directory = tempDir('bind');
    const target = join(directory, 'target');
    await assert.rejects(bindMount(join(directory, 'nowhere'), target, ['ro']), /nowhere at .*target: ENOENT/);
    mkdirSync(join(directory, 'source'));
    await assert.rejects(bindMount(join(directory, 'source'), target, ['ro']), /target: ENOENT/);
    writeFileSync(target, '');
    await assert.rejects(bindMount(join(directory, 'source'), target, ['ro']), /target: EINVAL/);
    await assert.rejects(bindMount(join(directory, 'source'), target, ['sparkling']), /no mount option sparkling/);
    assert.equal(await mountAt(target), undefined);
  });
});

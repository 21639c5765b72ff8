/**
 * npm run bench:install: what `npm run bench -- fuse` needs on a Debian machine: fio, passthrough_ll
 * built from the source packages of two releases, and fuse-native. Packages are installed only by this
 * program, with --install or in CI; what it builds stays in .cache.
 */
import { apt, mustBeAllowed } from '../../test/harness/apt.ts';
import { programs } from '../../test/harness/prerequisites.ts';
import { installNative, nativeIsThere } from './native.ts';
import { peersMissing } from './peers.ts';
import { buildPassthrough, builtPassthrough, type Release, releases } from './releases.ts';

const packages = ['fio', 'gcc', 'libc6-dev', 'dpkg-dev', 'meson', 'ninja-build'];

mustBeAllowed();
if (programs('fio', 'gcc', 'dpkg-source', 'meson', 'ninja')() !== undefined) {
  apt('update');
  if (!apt('install', '-y', '--no-install-recommends', ...packages)) process.exit(1);
}
for (const release of Object.keys(releases) as Release[]) if (builtPassthrough(release) === undefined) buildPassthrough(release);
if (!nativeIsThere()) installNative();
console.log(peersMissing() ?? 'ready: the data plane can be compared');
if (peersMissing() !== undefined) process.exitCode = 1;

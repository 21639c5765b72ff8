/**
 * npm run bench:install: what `npm run bench -- fuse` needs on a Debian machine: fio, a compiler, and
 * libfuse with its examples. Packages are installed only by this program, with --install or in CI.
 */
import { apt, mustBeAllowed } from '../../test/harness/apt.ts';
import { peersMissing } from './passthrough.ts';

mustBeAllowed();
if (peersMissing() !== undefined) {
  apt('update');
  if (!apt('install', '-y', '--no-install-recommends', 'fio', 'gcc', 'libc6-dev', 'pkg-config', 'libfuse3-dev')) process.exit(1);
}
console.log(peersMissing() ?? 'ready: the data plane can be compared');
if (peersMissing() !== undefined) process.exitCode = 1;

/**
 * npm run model:install: installs the model checker and the compiler that it needs on a Debian machine. Packages
 * are installed only by this program, called by a person with --install or in CI, never by a test.
 */
import { spawnSync } from 'node:child_process';
import { modelMissing } from './missing.ts';

function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-q', ...args], { stdio: 'inherit', env }).status === 0;
}

if (process.env['CI'] !== 'true' && !process.argv.includes('--install')) {
  console.error('This installs Debian packages on this machine. Say so: --install, or CI=true.');
  process.exit(2);
}
if (modelMissing() !== undefined) {
  apt('update');
  if (!apt('install', '-y', '--no-install-recommends', 'spin', 'gcc', 'libc6-dev')) process.exit(1);
}
const missing = modelMissing();
console.log(missing ?? 'ready: the models can be checked');
if (missing !== undefined) process.exitCode = 1;

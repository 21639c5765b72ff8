/**
 * npm run model:install: installs the model checker and the compiler that it needs on a Debian machine. Packages
 * are installed only by this program, called by a person with --install or in CI, never by a test.
 */
import { apt, mustBeAllowed } from '../harness/apt.ts';
import { modelMissing } from './missing.ts';

mustBeAllowed();
if (modelMissing() !== undefined) {
  apt('update');
  if (!apt('install', '-y', '--no-install-recommends', 'spin', 'gcc', 'libc6-dev')) process.exit(1);
}
const missing = modelMissing();
console.log(missing ?? 'ready: the models can be checked');
if (missing !== undefined) process.exitCode = 1;

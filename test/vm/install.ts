/**
 * npm run vm:install: installs what the virtual-machine tier needs on a Debian machine. Packages
 * are installed only by this program, called by a person with --install or in CI, never by a test.
 */
import { apt, mustBeAllowed } from '../harness/apt.ts';
import { findProgram } from '../harness/prerequisites.ts';
import { fetchKernel, findKernel } from './kernel.ts';

/** Debian's package for each program. */
const packages: Record<string, string> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  ndctl: 'ndctl',
  busybox: 'busybox-static',
  cpio: 'cpio',
  xz: 'xz-utils',
};

mustBeAllowed();
const missing = Object.keys(packages).filter((program) => !findProgram(program));
if (missing.length > 0 || !findKernel()) apt('update');
const wanted = missing.map((program) => packages[program]);
if (wanted.length > 0 && !apt('install', '-y', '--no-install-recommends', ...wanted)) process.exit(1);
// Part of qemu-system-common in bookworm, a package of its own since.
if (!findProgram('virtiofsd') && !apt('install', '-y', '--no-install-recommends', 'virtiofsd')) {
  process.exit(1);
}
if (!findKernel()) fetchKernel();
console.log(`ready: guest kernel ${findKernel()?.version}`);

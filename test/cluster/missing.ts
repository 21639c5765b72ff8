/** Says what a machine lacks to run a cluster; nothing is changed. */
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { findProgram } from '../harness/prerequisites.ts';
import { type HostOptions } from './host.ts';
import { missingPackages } from './packages.ts';
import { goMissing, goVersion } from './programs.ts';

const gibibyte = 2 ** 30;

/** Three nodes take one GiB; compiling Kubernetes takes two more per processor. */
const leastMemory = 6 * gibibyte;

/** Why the programs of a cluster cannot be built here, in words; undefined when they can. */
export function programsMissing(): string | undefined {
  return goVersion() === undefined ? goMissing : undefined;
}

/** Why no cluster can be made here, in words; undefined when one can. */
export function missing(options: HostOptions = {}): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `the nodes need Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  if (process.getuid?.() !== 0) return 'the nodes are privileged containers and Debian trees are made by root: run as root';
  if (goVersion() === undefined) return `${goMissing}: it builds the programs of the cluster`;
  if (!existsSync('/dev/fuse')) return '/dev/fuse does not exist';
  if (totalmem() < leastMemory) return `${(totalmem() / gibibyte).toFixed(1)} GiB of memory are too few, ${leastMemory / gibibyte} are needed`;
  if (!existsSync('/dev/shm')) return '/dev/shm does not exist: the simulated memory is kept there';
  const packages = missingPackages(options.stock);
  if (packages.length === 0) return undefined;
  if (!options.install) return `not installed: ${packages.join(', ')} (--install, or CI=true, installs them)`;
  if (findProgram('apt-get') === undefined) return `not installed: ${packages.join(', ')}, and there is no apt-get to install them with`;
  return undefined;
}

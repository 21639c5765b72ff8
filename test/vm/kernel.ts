/**
 * The guests' kernel: Debian's cloud kernel, which has FUSE and virtio-fs built in and the dax
 * drivers as modules. The package is downloaded and unpacked into .cache/, never installed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codename, debianMirror, privateList } from '../harness/apt.ts';
import { cache } from '../harness/paths.ts';

/** An unpacked kernel. */
export interface Kernel {
  version: string;
  image: string;
  /** /lib/modules/VERSION of the package. */
  modules: string;
}

/** The series that the tests were made with: newest FUSE, and in Debian's stable suites. */
const series = '6.12';
const directory = join(cache, 'kernel');
const packageName = new RegExp(`^linux-image-${series.replace('.', '\\.')}\\.\\d+\\+deb\\d+-cloud-amd64$`);

/** The kernel in the cache, if there is one. */
export function findKernel(): Kernel | undefined {
  for (const name of names(join(directory, 'boot'))) {
    if (!name.startsWith('vmlinuz-')) continue;
    const version = name.slice('vmlinuz-'.length);
    return {
      version,
      image: join(directory, 'boot', name),
      modules: join(directory, 'lib/modules', version),
    };
  }
  return undefined;
}

/** A prerequisite of the tier: fetches the kernel where that touches nothing but the cache. */
export function kernelMissing(): string | undefined {
  if (findKernel()) return undefined;
  try {
    fetchKernel();
    return undefined;
  } catch (error) {
    return `no guest kernel in .cache/kernel: ${(error as Error).message}`;
  }
}

/** Downloads and unpacks the newest package of the series. */
export function fetchKernel(): void {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetch-'));
  try {
    download(work);
    const [archive] = names(work).filter((name) => name.endsWith('.deb'));
    run('dpkg', ['-x', archive, 'kernel'], work);
    rmSync(directory, { recursive: true, force: true });
    renameSync(join(work, 'kernel'), directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** From the machine's own package sources, else from the backports of its release. */
function download(work: string): void {
  const problem = tryDownload(work, []) && tryDownload(work, backports(work));
  if (problem) throw new Error(`${problem}; try 'apt-get update' first`);
}

/** Says why nothing was downloaded; undefined when a package is there. */
function tryDownload(work: string, options: string[]): string | undefined {
  const known = run('apt-cache', [...options, 'pkgnames', `linux-image-${series}`], work).split('\n');
  const packages = known.filter((name) => packageName.test(name));
  packages.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  // A listed name may be a mere mention in another package's dependencies: take the next then.
  for (const name of packages.slice(0, 4)) {
    try {
      run('apt-get', [...options, 'download', name], work);
      return undefined;
    } catch {
      continue;
    }
  }
  return `the package sources have no linux-image-${series}.*-cloud-amd64`;
}

function backports(work: string): string[] {
  const options = privateList(work, `deb ${debianMirror()} ${codename()}-backports main\n`);
  run('apt-get', [...options, 'update'], work);
  return options;
}

function run(program: string, args: string[], cwd: string): string {
  const result = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 300_000 });
  if (result.error) throw new Error(`${program} cannot be run (${result.error.message})`);
  if (result.status !== 0) throw new Error(`${program} ${args.at(-1)}: ${result.stderr.trim()}`);
  return result.stdout;
}

function names(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

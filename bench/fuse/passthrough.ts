import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountPoints, unmountFuse } from '../../src/famfs/fuse/mount.ts';
import { cache } from '../../test/harness/paths.ts';
import { programs } from '../../test/harness/prerequisites.ts';

/** libfuse's own low-level example, as Debian's libfuse3-dev brings it. */
const SOURCE = '/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c';

/** What the comparison lacks on this machine, in words. */
export function peersMissing(): string | undefined {
  const missing = programs('fio', 'gcc', 'pkg-config')();
  if (missing !== undefined) return missing;
  return existsSync(SOURCE) ? undefined : `${SOURCE} is missing: it comes with libfuse3-dev`;
}

/** Builds it with -O2 against Debian's libfuse; answers the program and the library's version. */
export function buildPassthrough(): { program: string; version: string } {
  const directory = join(cache, 'bench');
  const program = join(directory, 'passthrough_ll');
  mkdirSync(directory, { recursive: true });
  const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/);
  execFileSync('gcc', ['-O2', '-o', program, SOURCE, ...flags], { stdio: ['ignore', 'inherit', 'pipe'] });
  return { program, version: execFileSync('pkg-config', ['--modversion', 'fuse3'], { encoding: 'utf8' }).trim() };
}

/**
 * Shows a directory through it; resolves with the way to end it. `never`: direct I/O and nothing
 * cached, as we serve read and write; `auto`: through the page cache, which it needs for mmap.
 */
export async function startPassthrough(program: string, source: string, directory: string, caching: 'never' | 'auto'): Promise<() => Promise<void>> {
  mkdirSync(directory);
  const options = [`source=${source}`, `cache=${caching}`, ...(caching === 'never' ? ['timeout=0'] : [])].join(',');
  const child = spawn(program, ['-f', '-o', options, directory], { stdio: ['ignore', 'inherit', 'inherit'] });
  while (!mountPoints().some((point) => point.directory === directory)) {
    if (child.exitCode !== null) throw new Error(`passthrough_ll ended with ${child.exitCode}`);
    await sleep(20);
  }
  return async () => {
    await unmountFuse(directory);
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  };
}

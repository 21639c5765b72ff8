import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountPoints, unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { programs } from '../../test/harness/prerequisites.ts';
import { NATIVE_VERSION, nativeIsThere, nativeLibraries, nativeModule } from './native.ts';
import { builtPassthrough, type Release, releases } from './releases.ts';

/** Who serves a file: ourselves, passthrough_ll of two releases, fuse-native; and the file system below them. */
export const servers = ['ours', 'stable', 'newest', 'native', 'tmpfs'] as const;
export type Server = (typeof servers)[number];

/**
 * `never`: direct I/O and nothing cached, as we serve read and write; `auto`: through the page cache,
 * which a peer needs for mmap.
 */
export type Caching = 'never' | 'auto';

/** What the comparison lacks on this machine, in words. */
export function peersMissing(): string | undefined {
  const missing = programs('fio')();
  if (missing !== undefined) return missing;
  const release = (Object.keys(releases) as Release[]).find((name) => builtPassthrough(name) === undefined);
  if (release !== undefined) return `passthrough_ll of Debian's ${releases[release]} has not been built`;
  return nativeIsThere() ? undefined : 'fuse-native has not been installed';
}

/** The peers' versions. */
export function peerVersions(): Record<Release | 'native', string> {
  return { stable: builtPassthrough('stable')!.version, newest: builtPassthrough('newest')!.version, native: NATIVE_VERSION };
}

/** A peer that serves. */
export interface Peer {
  readonly end: () => Promise<void>;
  /** Of one that hangs: what waits for it goes on, with errors. */
  readonly kill: () => void;
}

/** Shows a directory through a peer. */
export async function startPeer(peer: Release | 'native', source: string, directory: string, caching: Caching): Promise<Peer> {
  mkdirSync(directory, { recursive: true });
  // A session of its own, as ours has: a kernel with autogroups shares the CPUs out by sessions.
  const detached = true;
  const child = peer === 'native'
    ? spawn(process.execPath, [join(import.meta.dirname, 'native-server.ts'), nativeModule, source, directory, caching], {
      stdio: ['ignore', 'ignore', 'inherit'], detached, env: { ...process.env, LD_LIBRARY_PATH: nativeLibraries },
    })
    : spawn(builtPassthrough(peer)!.program, ['-f', '-o', passthroughOptions(source, caching), directory], {
      stdio: ['ignore', 'inherit', 'inherit'], detached,
    });
  const kill = () => void child.kill('SIGKILL');
  while (!mountPoints().some((point) => point.directory === directory)) {
    if (child.exitCode !== null) throw new Error(`${peer} ended with ${child.exitCode}`);
    await sleep(20);
  }
  return {
    kill,
    end: async () => {
      // It does not end with the unmount where another mount namespace has a copy of the mount.
      kill();
      await unmountFuse(directory, { lazy: true });
      if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

function passthroughOptions(source: string, caching: Caching): string {
  return [`source=${source}`, `cache=${caching}`, ...(caching === 'never' ? ['timeout=0'] : [])].join(',');
}

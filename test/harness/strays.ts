/**
 * What a tier left behind: mounts, processes, files. The runner marks each process that it starts
 * with FAMFS_TEST_RUN in its environment, which children inherit wherever they go, so that nothing
 * of anybody else's is ever counted or ended.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { areFilesKept, mountPoints } from './temp.ts';

/** Where a run keeps its things. */
export interface RunPlaces {
  /** Value of FAMFS_TEST_RUN. */
  id: string;
  /** TMPDIR of the tiers. */
  temp: string;
  /** Their directory on shared memory. */
  shm: string;
}

/** Where the program keeps things unless it is told otherwise: tests must tell it otherwise. */
const defaultPlaces = ['/var/lib/famfs-csi', '/run/famfs-csi'];

/** Those of the program's default directories that are there. */
export function presentDefaultPlaces(): string[] {
  return defaultPlaces.filter((path) => existsSync(path));
}

/** Removes the default directories that have come since, and names them. */
export function takeDefaultPlaces(before: readonly string[]): string[] {
  const used = presentDefaultPlaces().filter((path) => !before.includes(path));
  for (const path of used) rmSync(path, { recursive: true, force: true });
  return used;
}

/** What there was before a tier. */
export interface Before {
  /** Undefined where the machine's own mounts come and go besides. */
  mounts: string[] | undefined;
  /** Default directories; undefined where somebody else looks at them, for several who run at once. */
  places: string[] | undefined;
}

/** Mount points and default directories at this moment. */
export function lookAround(tiers: readonly { onMachine?: true }[] = []): Before {
  const mounts = tiers.some(({ onMachine }) => onMachine) ? undefined : mountPoints();
  return { mounts, places: presentDefaultPlaces() };
}

/** A process of this run. */
export interface StrayProcess {
  pid: number;
  command: string;
}

/** Living processes that carry the run's mark, this one excepted. */
export function runProcesses(id: string): StrayProcess[] {
  const found: StrayProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      if (!environment.includes(`FAMFS_TEST_RUN=${id}`)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      if (command) found.push({ pid, command }); // without a command line: a zombie
    } catch {
      // it ended meanwhile, or belongs to somebody else
    }
  }
  return found;
}

/** Gives processes that are about to end a moment to do so, on a machine that may be busy. */
export async function untilProcessesEnd(id: string, limitMs = 5000): Promise<void> {
  const start = Date.now();
  while (runProcesses(id).length > 0 && Date.now() - start < limitMs) await sleep(50);
}

/** Describes, and then removes, everything of the run that outlived its tier. */
export function clearStrays(places: RunPlaces, before: Before): string[] {
  const problems: string[] = [];
  for (const { pid, command } of runProcesses(places.id)) {
    problems.push(`left a process behind: ${pid} ${command.slice(0, 160)}`);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended meanwhile
    }
  }
  const mounts = before.mounts === undefined ? [] : mountPoints().filter((point) => !before.mounts!.includes(point));
  for (const point of mounts.reverse()) {
    problems.push(`left a mount behind: ${point}`);
    spawnSync('umount', ['-l', point]);
  }
  for (const directory of areFilesKept ? [] : [places.temp, places.shm]) {
    for (const name of list(directory)) {
      problems.push(`left a file behind: ${join(directory, name)}`);
      rmSync(join(directory, name), { recursive: true, force: true });
    }
  }
  for (const path of before.places === undefined ? [] : takeDefaultPlaces(before.places)) {
    problems.push(`used a default directory: ${path}`);
  }
  return problems;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // never made, or removed whole
  }
}

/**
 * Places for a test's files. Everything made here is removed when the test process ends, unless files
 * are kept; what is left after that, the runner finds and reports.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMountinfo } from '../../src/famfs/fuse/mount/mountinfo.ts';

/** The directory on shared memory for this run's simulated devices; the runner sets it. */
function shmBase(): string {
  const tmpfs = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  return process.env['FAMFS_TEST_SHM'] ?? join(tmpfs, `famfs-test-${process.pid}`);
}

/** Whether the files of this run stay, for a person to look at. */
export const areFilesKept = process.env['FAMFS_TEST_KEEP'] === 'true';

const made = new Set<string>();

process.once('exit', () => {
  if (areFilesKept) return;
  for (const path of made) remove(path);
});

/** A new empty directory of this test process. */
export function tempDir(label = 't'): string {
  const path = mkdtempSync(join(tmpdir(), `famfs-${label}-`));
  made.add(path);
  return path;
}

/** A path on shared memory for a simulated device: unique in the run, nothing there yet. */
export function shmFile(name: string): string {
  const base = shmBase();
  mkdirSync(base, { recursive: true });
  const directory = mkdtempSync(join(base, 'd-'));
  made.add(directory);
  made.add(base);
  return join(directory, name);
}

/** Removes a file or tree at once, when it is large and the test done with it. */
export function remove(path: string): void {
  if (areFilesKept) return;
  // Never descend into a mount that a failed test left behind: that would be a test of deletion.
  const mounted = mountPoints().some((point) => point === path || point.startsWith(`${path}/`));
  if (mounted) return;
  rmSync(path, { recursive: true, force: true });
  made.delete(path);
}

/** The mount points this process sees. */
export function mountPoints(): string[] {
  return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).map(({ directory }) => directory);
}

/** What each tier needs of the machine. A probe returns what is missing, in words, or undefined. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Says what is missing; undefined when nothing is. */
export type Probe = () => string | undefined;

/** Mounts an unserved FUSE file system for a moment: proves device, module and permission at once. */
export function fuseMissing(): string | undefined {
  let fd: number;
  try {
    fd = openSync('/dev/fuse', 'r+');
  } catch (error) {
    return `/dev/fuse cannot be opened (${(error as NodeJS.ErrnoException).code})`;
  }
  const directory = mkdtempSync(join(tmpdir(), 'famfs-probe-'));
  try {
    const options = `fd=3,rootmode=40000,user_id=0,group_id=0`;
    const mount = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'famfs-probe', directory], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      encoding: 'utf8',
    });
    if (mount.error) return `the mount program cannot be run (${mount.error.message})`;
    if (mount.status !== 0) return `FUSE cannot be mounted here: ${mount.stderr.trim()}`;
    spawnSync('umount', ['-l', directory], { stdio: 'ignore' });
    return undefined;
  } finally {
    closeSync(fd);
    rmdirSync(directory);
  }
}

/** Where Debian and the Go project put programs that an ordinary PATH leaves out. */
const elsewhere = ['/usr/local/go/bin', '/usr/sbin', '/sbin', '/usr/lib/qemu', '/usr/libexec'];

/** The full path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...elsewhere];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** A probe for a set of programs. */
export function programs(...names: string[]): Probe {
  return () => {
    const missing = names.filter((name) => findProgram(name) === undefined);
    return missing.length > 0 ? `not installed: ${missing.join(', ')}` : undefined;
  };
}

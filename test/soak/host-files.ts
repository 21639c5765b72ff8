import { type Dirent, openSync, closeSync, existsSync, lstatSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Header } from '../../src/famfs/fuse/host-state/overrides-layout.ts';

/** Files below a directory, and the bytes that they take. */
export interface HostFiles {
  readonly count: number;
  readonly bytes: number;
}

const BLOCK = 512;

/** What a host keeps in files of its own: logs, which are told and not kept, and mounts do not count. */
export function hostFiles(directory: string, mounts = join(directory, 'mounts')): HostFiles {
  let [count, bytes] = [0, 0];
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (path === mounts || entry.name.endsWith('.log')) continue;
    const below = entry.isDirectory() ? hostFiles(path, mounts) : { count: 1, bytes: bytesOf(path) };
    count += below.count;
    bytes += below.bytes;
  }
  return { count, bytes };
}

/** The override tables' slots in use. */
export function overridesIn(directory: string): number {
  const tables = join(directory, 'overrides');
  return (existsSync(tables) ? readdirSync(tables) : []).reduce((sum, name) => sum + usedIn(join(tables, name)), 0);
}

function usedIn(table: string): number {
  const fd = openSync(table, 'r');
  try {
    const word = Buffer.alloc(4);
    readSync(fd, word, 0, word.length, Header.used * 4);
    return word.readUInt32LE();
  } finally {
    closeSync(fd);
  }
}

/** A directory may go while we look, and a volume's be deleted. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ESTALE'].includes((error as NodeJS.ErrnoException).code!)) return [];
    throw error;
  }
}

/** A file may go while we look. */
function bytesOf(path: string): number {
  return (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK;
}

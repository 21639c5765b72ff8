import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { mkfs } from '../src/famfs/mkfs/mkfs.ts';
import { shmFile } from '../test/harness/temp.ts';

/** The log that the replay bench reads: a million entries in a gigabyte. */
export const ENTRIES = 1_000_000;
export const LOG = 2 ** 30;
/** Bytes of each volume's file. */
export const AU = 2 ** 21;

/** Makes a simulated pool of so many volumes, two entries each, and answers its path. */
export async function poolOf(volumes: number, logSize: number): Promise<string> {
  const file = shmFile('pool');
  await mkfs(file, { clusterUuid: '6b1f3c52-0d43-4c0e-9d6f-2f1f6a1c7f00', simulate: 2 * AU + logSize + volumes * AU, logSize });
  // In a process of its own, which takes what it needed for this with it.
  execFileSync(process.execPath, [join(import.meta.dirname, 'million-entries.ts'), file, String(logSize), String(2 * volumes)]);
  return file;
}

/** The directory of one of them. */
export function volumeName(number: number): string {
  return `pvc-${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

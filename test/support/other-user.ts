/** An unprivileged user of the same host, as tests of permissions need one. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const NOBODY = 65534;

/** False in an ordinary user's own namespace: there is nobody else to be. */
export function manyUsers(): boolean {
  return readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2] !== '1';
}

/** What a command ends with that another user runs: its status, and what it printed to either output. */
export function asOtherUser(command: string, args: readonly string[], input = ''): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { uid: NOBODY, gid: NOBODY, cwd: '/', input, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

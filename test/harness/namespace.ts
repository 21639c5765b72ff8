/**
 * Runs the whole test run in a mount namespace of its own, so that nothing it mounts can reach the
 * machine. An ordinary user gets a user namespace with it, where they may mount.
 */
import { spawn, spawnSync } from 'node:child_process';

const MARK = 'FAMFS_TEST_NAMESPACE';

/** unshare's arguments for the present user. */
function unshareArguments(): string[] {
  return process.getuid?.() === 0
    ? ['--mount', '--propagation', 'private']
    : ['--user', '--map-root-user', '--mount', '--propagation', 'private'];
}

/** Whether this process is inside such a namespace. */
export function isInNamespace(): boolean {
  return process.env[MARK] !== undefined;
}

/**
 * Starts a program inside a namespace and resolves to its exit code; undefined means that this
 * machine allows no namespaces.
 */
export async function runInNamespace(script: string, args: string[], env: Record<string, string> = {}): Promise<number | undefined> {
  const isolation = unshareArguments();
  if (spawnSync('unshare', [...isolation, 'true'], { stdio: 'ignore' }).status !== 0) return undefined;
  const child = spawn('unshare', [...isolation, process.execPath, script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env, [MARK]: '1' },
  });
  // A terminal's Ctrl-C reaches the child too: wait for it to clean up, then end as it did.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

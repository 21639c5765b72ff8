/**
 * Runs programs in a mount namespace of their own, so that nothing they mount can reach the machine.
 * An ordinary user gets a user namespace with it, where they may mount.
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

/** The command that starts another one inside a namespace; undefined where this machine allows none. */
export function namespaceCommand(): string[] | undefined {
  const isolation = unshareArguments();
  if (spawnSync('unshare', [...isolation, 'true'], { stdio: 'ignore' }).status !== 0) return undefined;
  return ['unshare', ...isolation, 'env', `${MARK}=1`];
}

/**
 * Starts a program inside a namespace and resolves to its exit code; undefined means that this
 * machine allows no namespaces.
 */
export async function runInNamespace(script: string, args: string[]): Promise<number | undefined> {
  const [command, ...before] = namespaceCommand() ?? [];
  if (command === undefined) return undefined;
  const child = spawn(command, [...before, process.execPath, script, ...args], { stdio: 'inherit' });
  // A terminal's Ctrl-C reaches the child too: wait for it to clean up, then end as it did.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

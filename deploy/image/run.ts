import { spawnSync, type StdioOptions } from 'node:child_process';

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Shows what it prints while it runs, instead of returning it. */
  readonly show?: boolean;
}

/** Runs a program to its end and returns what it printed. Throws with what it complained about. */
export function run(
  program: string, args: readonly string[], { show = false, cwd, env = process.env }: RunOptions = {},
): string {
  const stdio: StdioOptions = show ? ['ignore', 'inherit', 'inherit'] : 'pipe';
  const done = spawnSync(program, args, {
    cwd, encoding: 'utf8', maxBuffer: 64 * 2 ** 20, stdio,
    env: { ...env, NODE_DISABLE_COMPILE_CACHE: '1' }, // npm and tsc would leave theirs in the temporary directory
  });
  if (done.status === 0) return done.stdout ?? '';
  const said = `${done.stderr ?? ''}${done.stdout ?? ''}`.trim();
  const why = done.error?.message ?? (said || `${done.signal ?? `exit code ${done.status}`}`);
  throw new Error(`${program} ${args[0] ?? ''} failed: ${why}`);
}

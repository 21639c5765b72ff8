import { spawnSync } from 'node:child_process';

/** Runs apt-get, showing what it says; answers whether it succeeded. */
export function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-q', ...args], { stdio: 'inherit', env }).status === 0;
}

/** Ends this process unless a person, or CI, has said that packages may be installed. */
export function mustBeAllowed(): void {
  if (process.env['CI'] === 'true' || process.argv.includes('--install')) return;
  console.error('This installs Debian packages on this machine. Say so: --install, or CI=true.');
  process.exit(2);
}

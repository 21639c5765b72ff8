import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs apt-get, showing what it says; answers whether it succeeded. */
export function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-q', ...args], { stdio: 'inherit', env }).status === 0;
}

/** Debian's code name of this machine's release. */
export function codename(): string | undefined {
  return /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
}

/** The mirror of Debian that this machine's package sources name. */
export function debianMirror(): string {
  const targets = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE)'], { encoding: 'utf8' }).split('\n');
  const main = targets.map((line) => line.split(' ')).find(([, release]) => release === codename());
  if (main === undefined) throw new Error("this machine's package sources are not Debian's");
  return main[0]!;
}

/** apt options for a package list of our own in a directory, so that the machine's own sources stay as they are. */
export function privateList(work: string, sources: string): string[] {
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  writeFileSync(join(work, 'sources.list'), sources);
  return [
    `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${join(work, 'lists')}`,
    'Dir::Cache::PkgCache=',
    'Dir::Cache::SrcPkgCache=',
  ].flatMap((option) => ['-o', option]);
}

/** Ends this process unless a person, or CI, has said that packages may be installed. */
export function mustBeAllowed(): void {
  if (process.env['CI'] === 'true' || process.argv.includes('--install')) return;
  console.error('This installs Debian packages on this machine. Say so: --install, or CI=true.');
  process.exit(2);
}

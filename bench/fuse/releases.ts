/** passthrough_ll of Debian's fuse3, built with the libfuse it comes with from Debian's own source package. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianMirror, privateList } from '../../test/harness/apt.ts';
import { cache } from '../../test/harness/paths.ts';

/** The stable release that the limits are about, and one whose passthrough_ll lets writers of a file work side by side. */
export const releases = { stable: 'bookworm', newest: 'sid' } as const;
export type Release = keyof typeof releases;

/** A program that was built, and the version of its libfuse. */
export interface Built {
  readonly program: string;
  readonly version: string;
}

const directoryOf = (release: Release) => join(cache, 'bench', `fuse3-${releases[release]}`);

/** What `build` has left, or undefined. */
export function builtPassthrough(release: Release): Built | undefined {
  const program = join(directoryOf(release), 'passthrough_ll');
  return existsSync(program) ? { program, version: readFileSync(join(directoryOf(release), 'version'), 'utf8') } : undefined;
}

/** Fetches the source package and builds it with -O2, libfuse linked in. Throws with what a program said. */
export function buildPassthrough(release: Release): void {
  const work = mkdtempSync(join(tmpdir(), 'famfs-fuse3-'));
  try {
    const options = privateList(work, `deb-src ${debianMirror()} ${releases[release]} main\n`);
    run('apt-get', [...options, 'update'], work);
    run('apt-get', [...options, '-o', 'APT::Sandbox::User=root', 'source', '--only-source', 'fuse3'], work);
    const source = readdirSync(work, { withFileTypes: true }).find((entry) => entry.isDirectory() && entry.name.startsWith('fuse3-'));
    if (source === undefined) throw new Error('the source package has no directory fuse3-VERSION');
    const tree = join(work, source.name);
    run('meson', ['setup', 'build', '--buildtype=plain', '-Doptimization=2', '-Ddefault_library=static', '-Dutils=false', '-Dexamples=true'], tree);
    run('ninja', ['-C', 'build', 'example/passthrough_ll'], tree);
    mkdirSync(directoryOf(release), { recursive: true });
    writeFileSync(join(directoryOf(release), 'version'), source.name.slice('fuse3-'.length));
    copyFileSync(join(tree, 'build/example/passthrough_ll'), join(directoryOf(release), 'passthrough_ll'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(program: string, args: string[], cwd: string): void {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (error) throw new Error(`${program} cannot be run (${error.message})`);
  if (status !== 0) throw new Error(`${program} ${args.at(-1)}: ${stderr.trim() || stdout.trim()}`);
}

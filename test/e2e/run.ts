/**
 * npm run test:e2e: the end-to-end tests on a kind cluster. Creates what is missing, runs, cleans up.
 *
 *     npm run test:e2e -- --keep       the cluster stays, and the next run uses it
 *     npm run test:e2e -- --install    Debian packages may be installed on this machine
 *     npm run test:e2e -- --stock      kind's own node image, where there is a container registry
 *     npm run test:e2e -- -g upgrade   the tests with this in their titles
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { root } from '../harness/paths.ts';

interface Options {
  keep?: true;
  install?: true;
  stock?: true;
  grep?: string;
}

new Command('npm run test:e2e --')
  .description('run the end-to-end tests on a kind cluster')
  .option('--keep', 'leave the cluster as it is, for the next run')
  .option('--install', 'allow the installation of Debian packages on this machine')
  .option('--stock', "use kind's own node image and the sidecars' own images")
  .option('-g, --grep <text>', 'run the tests with this in their titles')
  .action((options: Options) => {
    const asked = Object.entries({ KEEP: options.keep, INSTALL: options.install, STOCK: options.stock })
      .filter(([, value]) => value).map(([name]) => [`FAMFS_E2E_${name}`, 'true']);
    const filter = options.grep === undefined ? [] : ['--', '--grep', options.grep];
    const { status } = spawnSync(process.execPath, [join(root, 'test/run.ts'), 'e2e', ...filter], {
      stdio: 'inherit', env: { ...process.env, ...Object.fromEntries(asked) },
    });
    process.exitCode = status ?? 1;
  })
  .parse();

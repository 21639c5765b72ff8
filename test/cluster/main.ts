/** npm run cluster: makes, fills and deletes a cluster by hand. */
import { Command } from 'commander';
import { createCluster, defaultSimDirectory, deleteCluster, exportLogs, loadImages, openCluster } from './cluster.ts';
import { ensureHost, releaseHost } from './host.ts';
import { buildSuiteImages } from './images.ts';
import { missing } from './missing.ts';
import { installPackages } from './packages.ts';
import { ensurePrograms, ensureStorageSuite, type ProgramName } from './programs.ts';
import { ensureDriverBase, ensureTreeArchives } from './rootfs.ts';

const program = new Command('cluster').description('a kind cluster whose nodes share one simulated memory device');
const defaultName = 'famfs';

program.command('up')
  .description('create the cluster and everything it needs')
  .option('--name <name>', 'name of the cluster', defaultName)
  .option('--sim <directory>', 'directory of this machine that all nodes see as /dev/sim', defaultSimDirectory)
  .option('--install', 'allow the installation of Debian packages on this machine', false)
  .option('--stock', "use kind's own node image, where there is a container registry", false)
  .action(async (given: { name: string; sim: string; install: boolean; stock: boolean }) => {
    const options = { ...given, install: given.install || process.env['CI'] === 'true' };
    const reason = missing(options);
    if (reason !== undefined) throw new Error(`no cluster can be made here: ${reason}`);
    await ensureHost(options);
    const cluster = await createCluster({ name: options.name, simDirectory: options.sim, stock: options.stock });
    console.log(`export KUBECONFIG=${cluster.kubeconfig} PATH=${await ensurePrograms()}:$PATH`);
  });

program.command('down')
  .description('delete the cluster, and stop Docker where "up" started it')
  .option('--name <name>', 'name of the cluster', defaultName)
  .action(async (options: { name: string }) => {
    await deleteCluster(options.name);
    await releaseHost();
  });

program.command('programs [names...]')
  .description('build the programs of the cluster and print their directory')
  .action(async (names: string[]) => {
    console.log(await ensurePrograms(names.length > 0 ? names as ProgramName[] : undefined));
  });

program.command('prepare')
  .description('make what takes the longest of a cluster and its tests: all programs, and the Debian trees')
  .option('--install', 'allow the installation of Debian packages on this machine', false)
  .action(async (options: { install: boolean }) => {
    if (options.install || process.env['CI'] === 'true') await installPackages();
    await ensurePrograms();
    await ensurePrograms(['agnhost']);
    await ensureStorageSuite();
    await ensureTreeArchives();
  });

program.command('load <images...>')
  .description('make images that Docker has known to all nodes')
  .option('--name <name>', 'name of the cluster', defaultName)
  .action(async (images: string[], options: { name: string }) => await loadImages(openCluster(options.name), images));

program.command('logs <directory>')
  .description('write the logs of all nodes and pods below a directory')
  .option('--name <name>', 'name of the cluster', defaultName)
  .action(async (directory: string, options: { name: string }) => await exportLogs(openCluster(options.name), directory));

program.command('base')
  .description("make the base image for the driver's image")
  .action(async () => console.log(await ensureDriverBase()));

program.command('suite')
  .description("build Kubernetes' own tests of CSI drivers and load the images they use")
  .option('--name <name>', 'name of the cluster', defaultName)
  .action(async (options: { name: string }) => {
    await loadImages(openCluster(options.name), await buildSuiteImages());
    console.log(await ensureStorageSuite());
  });

await program.parseAsync().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

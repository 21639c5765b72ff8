import { Command, Option } from 'commander';
import { placeOptions } from './place-options.ts';
import { parsePort } from './role-options.ts';

interface UninstallOptions {
  readonly check?: true;
  readonly clean?: true;
  readonly kubernetes: string;
  readonly membersNamespace?: string;
  readonly driverName: string;
  readonly selector?: string;
  readonly nodePort?: number;
}

/** `famfs-csi uninstall`: what goes before and after the removal of a release from Kubernetes. */
export function uninstallCommand(): Command {
  return new Command('uninstall')
    .addOption(new Option('--check', 'fail, naming them, while volumes are in use').conflicts('clean'))
    .option('--clean', 'remove what the release has left in the API; volumes and data stay')
    .addOption(placeOptions.kubernetes('the namespace of the release').makeOptionMandatory())
    .addOption(placeOptions.membersNamespace())
    .addOption(placeOptions.driverName())
    .option('--selector <labels>', 'chooses pods of the release: the node plugins that --check asks, all for whose end --clean waits')
    .option('--node-port <port>', 'where node plugins serve their metrics: --check asks them what is staged', parsePort)
    .action(run);
}

async function run(
  { check, clean, kubernetes: namespace, membersNamespace, driverName: driver, selector, nodePort: port }: UninstallOptions,
): Promise<void> {
  if (!check && !clean) throw new Error('say --check or --clean');
  const { createLog } = await import('../csi/log.ts');
  const { findUses, cleanUp } = await import('../kube/uninstall.ts');
  const options = { namespace, driver, log: createLog('warn', 'uninstall'), ...(membersNamespace === undefined ? {} : { membersNamespace }) };
  if (check) {
    const uses = await findUses({ ...options, ...(selector === undefined || port === undefined ? {} : { plugins: { namespace, selector, port } }) });
    for (const use of uses) console.error(use);
    if (uses.length > 0) throw new Error(`${driver} has volumes in use (${uses.length}): delete the pods that use them, then uninstall`);
    console.log(`no volume of ${driver} is in use`);
    return;
  }
  const { done, left, kept } = await cleanUp({ ...options, ...(selector === undefined ? {} : { selector }) });
  for (const what of done) console.log(`removed ${what}`);
  for (const what of kept) console.log(`kept ${what}`);
  for (const what of left) console.error(`left ${what}`);
  if (left.length > 0) throw new Error('not everything could be removed');
}

import { Command } from 'commander';
import { adopt } from '../famfs/mkfs/adopt.ts';
import { printJson } from './output.ts';
import { progressBar } from './progress.ts';
import { commandIdentity, withWritingOptions, type WritingOptions } from './writing.ts';

/** `famfs-csi adopt DEVICE` */
export function adoptCommand(): Command {
  return withWritingOptions(new Command('adopt')
    .argument('<device>', 'the pool')
    .option('--json', 'print JSON'))
    .action(run);
}

async function run(device: string, options: WritingOptions & { json?: true }): Promise<void> {
  const identity = await commandIdentity(options);
  const bar = progressBar('clearing');
  try {
    const { uuid, formerOwner } = await adopt(device, { identity, assumeStopped: options.assumeStopped ?? false, report: bar.report });
    bar.stop();
    if (options.json) return printJson({ device, uuid, formerOwner, owner: identity.clusterUuid });
    console.log(`${device}: famfs ${uuid} now belongs to ${identity.clusterUuid} (before: ${formerOwner})`);
  } finally {
    bar.stop();
  }
}

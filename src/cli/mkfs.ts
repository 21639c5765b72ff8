import { Command } from 'commander';
import { mkfs } from '../famfs/mkfs/mkfs.ts';
import { isKnownStopped } from '../famfs/writer/claim/claim.ts';
import { printJson } from './output.ts';
import { progressBar } from './progress.ts';
import { formatSize, parseSize } from './sizes.ts';
import { commandIdentity, withWritingOptions, type WritingOptions } from './writing.ts';

interface MkfsOptions extends WritingOptions {
  readonly simulate?: number;
  readonly logSize?: number;
  readonly force?: true;
  readonly json?: true;
}

/** `famfs-csi mkfs DEVICE` */
export function mkfsCommand(): Command {
  return withWritingOptions(new Command('mkfs')
    .argument('<device>', 'a /dev/dax device, or a file that simulates one')
    .option('--simulate <size>', 'make the file first; one that is there already must be yours alone', parseSize)
    .option('--log-size <size>', 'bytes of the log, a power of two from 8MiB on (default: 1/1024 of the device)', parseSize)
    .option('--force', 'even if there is a file system, or a formatting that was interrupted: it is lost')
    .option('--json', 'print JSON'))
    .action(run);
}

async function run(device: string, options: MkfsOptions): Promise<void> {
  const identity = await commandIdentity(options);
  const bar = progressBar('clearing');
  const { simulate, logSize, force = false } = options;
  try {
    const made = await mkfs(device, {
      clusterUuid: identity.clusterUuid, force, report: bar.report,
      isStopped: (record) => isKnownStopped(record, identity), assumeStopped: options.assumeStopped ?? false,
      ...(simulate === undefined ? {} : { simulate }), ...(logSize === undefined ? {} : { logSize }),
    });
    bar.stop();
    if (options.json) return printJson({ device, ...made });
    console.log(`${device}: famfs ${made.uuid}, ${formatSize(made.size)}, log ${formatSize(made.logSize)}, room for ${made.slots} creations`);
  } finally {
    bar.stop();
  }
}

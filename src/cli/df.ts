import { Command } from 'commander';
import { printJson, printTable } from './output.ts';
import { formatSize } from './sizes.ts';
import { withPool } from './writing.ts';

/** `famfs-csi df DEVICE` */
export function dfCommand(): Command {
  return new Command('df')
    .description('show the memory and the log slots of a pool')
    .argument('<device>', 'the pool')
    .option('--json', 'print JSON')
    .action((device: string, options: { json?: true }) => withPool(device, (pool) => {
      const usage = pool.usage();
      if (options.json) return printJson({ device, uuid: pool.uuid, owner: pool.systemUuid, ...usage });
      printTable(['SIZE', 'USED', 'QUARANTINED', 'FREE', 'LARGEST FILE', 'CONTIGUOUS', 'SLOTS LEFT'], [[
        formatSize(usage.totalBytes), formatSize(usage.usedBytes), formatSize(usage.quarantinedBytes), formatSize(usage.freeBytes),
        formatSize(usage.largestAllocatableBytes), formatSize(usage.largestContiguousBytes), `${usage.slotsFree} of ${usage.slotsTotal}`,
      ]]);
      if (usage.quarantinedBytes > 0) {
        console.log(`${formatSize(usage.quarantinedBytes)} belong to deleted files and are not given back yet.`);
      }
    }));
}

import { Command } from 'commander';
import { sumOf } from '../famfs/alloc/free-runs.ts';
import { memoryOf } from '../famfs/log/entry-memory.ts';
import type { Pool } from '../famfs/pool/pool.ts';
import { printJson, printTable } from './output.ts';
import { formatSize } from './sizes.ts';
import { withPool } from './reading.ts';

/** `famfs-csi df DEVICE` */
export function dfCommand(): Command {
  return new Command('df')
    .argument('<device>', 'the pool')
    .option('--json', 'print JSON')
    .action((device: string, options: { json?: true }) => withPool(device, (pool) => {
      const usage = pool.usage();
      const scrub = scrubOf(pool);
      if (options.json) return printJson({ device, uuid: pool.uuid, owner: pool.systemUuid, ...usage, ...(scrub === undefined ? {} : { scrub }) });
      printTable(['SIZE', 'USED', 'QUARANTINED', 'FREE', 'LARGEST FILE', 'CONTIGUOUS', 'SLOTS LEFT'], [[
        formatSize(usage.totalBytes), formatSize(usage.usedBytes), formatSize(usage.quarantinedBytes), formatSize(usage.freeBytes),
        formatSize(usage.largestAllocatableBytes), formatSize(usage.largestContiguousBytes), `${usage.slotsFree} of ${usage.slotsTotal}`,
      ]]);
      if (usage.quarantinedBytes > 0) {
        console.log(`${formatSize(usage.quarantinedBytes)} belong to deleted files and are not given back yet.`);
      }
      if (scrub !== undefined) console.log(`Of these, ${formatSize(scrub.bytes)} are being zeroed: ${formatSize(scrub.done)} done.`);
    }));
}

/** What the ruling writer is zeroing at this moment. */
function scrubOf({ replayer }: Pool): { bytes: number; done: number } | undefined {
  const ruling = replayer.ring.ruling();
  if (ruling === undefined || ruling.closed || ruling.scrubbing === 0n) return undefined;
  const bytes = sumOf(memoryOf(replayer.geometry, Number(ruling.scrubbing) - 1));
  return bytes === 0 ? undefined : { bytes, done: Math.min(Number(ruling.scrubbed), bytes) };
}

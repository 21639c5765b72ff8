import { Command } from 'commander';
import { fsck } from '../famfs/fsck/fsck.ts';
import { describeProblem } from '../famfs/log/problem.ts';
import { printJson } from './output.ts';
import { formatSize } from './sizes.ts';

const verdict = ['clean', 'DAMAGED', 'could not look'] as const;

/** `famfs-csi fsck DEVICE`: exits 0 clean, 1 damage, collision, impossible entry or memory that fails, 2 could not look. */
export function fsckCommand(): Command {
  return new Command('fsck')
    .argument('<device>', 'the pool')
    .option('--memory', 'also find memory of files that this host cannot read; a simulated device gets all of its memory by it')
    .option('--json', 'print JSON')
    .action((device: string, options: { memory?: true; json?: true }) => {
      const report = fsck(device, options);
      process.exitCode = report.status;
      if (options.json) return printJson({ device, ...report });
      if (report.failure !== undefined) console.log(report.failure);
      for (const problem of report.problems) console.log(`${problem.severity}: ${describeProblem(problem)}`);
      const { usage } = report;
      if (usage) {
        console.log(`${usage.files} files, ${usage.directories - 1} directories, ${usage.slotsUsed} of ${usage.slotsTotal} slots, ` +
          `${formatSize(usage.usedBytes)} used, ${formatSize(usage.freeBytes)} free, ${formatSize(usage.quarantinedBytes)} quarantined`);
      }
      console.log(`${device}: ${verdict[report.status]}`);
    });
}

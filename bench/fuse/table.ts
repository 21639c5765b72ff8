import type { Job } from './jobs.ts';
import type { Server } from './peers.ts';
import { compare, figure, jobsOf, type Run } from './runs.ts';

/** Column headings. */
export function titles(versions: Run['versions']): Readonly<Record<Server, string>> {
  return {
    ours: 'ours', stable: `passthrough_ll ${versions['stable']}`, newest: `passthrough_ll ${versions['newest']}`, native: `fuse-native ${versions['native']}`,
    tmpfs: 'tmpfs',
  };
}

const peers = ['stable', 'newest', 'native', 'tmpfs'] as const;

/** Ratios before any run was kept whole: to passthrough_ll of Debian's libfuse 3.14.0 binary, in the order of the table. */
const EARLIER = [
  'quiet machine: 2.42, 1.28, 0.95, 1.17, 0.96, 4.45, 3.53, 0.97, 1.13, 1.73, 21.3',
  'busy machine: 2.76, 1.55, 0.86, 0.94, 0.97, 2.15, 3.23, 1.19, 0.83, 2.54, 20.2',
];

/** All runs as a page of Markdown. */
export function markdownTable(runs: readonly Run[]): string {
  const latest = runs.at(-1)!;
  const name = titles(latest.versions);
  const row = (...cells: string[]) => `| ${cells.join(' | ')} |`;
  const head = ['', ...peers.map((peer) => `ours / ${name[peer]}`), 'limit', 'ours', ...peers.map((peer) => name[peer])];
  const lines = [
    '# The data plane beside its peers', '',
    `All ${runs.length} campaigns that were run since they are kept, none left out; Linux ${latest.kernel}, ${latest.cpus}. In a campaign the servers take turns in each of its rounds. A ratio is the median, over the campaigns, of the ratios of medians; ` +
      'in parentheses the least and the largest ratio of any round of any campaign. Figures are medians of medians.', '',
    'passthrough_ll is built with -O2 from Debian\'s fuse3 source packages, with direct I/O and nothing cached for read and write, and through the page cache for mmap; ' +
      'so is a server on fuse-native. Every round is in [fuse-runs.json](fuse-runs.json); `npm run bench -- fuse` adds a campaign and writes this page. ' +
      'Why a ratio is what it is: [performance](../docs/performance.md).', '',
    row(...head), row('---', ...head.slice(1).map(() => '---:')),
    ...jobsOf(runs).map((job) => row(
      job.name, ...peers.map((peer) => ratioCell(runs, job, peer)), limitCell(job, name), figure(runs, job, 'ours'), ...peers.map((peer) => figure(runs, job, peer)),
    )),
    '', 'The campaigns:', '',
    ...runs.map(({ date, note }) => `- ${date}${note === undefined ? '' : `: ${note}`}`),
    '', 'Ratios to passthrough_ll of two runs before, of which only these are left, in the order of the table (the second pass of mmap beside tmpfs):', '',
    ...EARLIER.map((line) => `- ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

function ratioCell(runs: readonly Run[], job: Job, peer: Server): string {
  const compared = compare(runs, job, peer);
  if (compared === undefined) return '-';
  const { ratio, least, most } = compared;
  return `${ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

function limitCell({ least }: Job, name: Readonly<Record<Server, string>>): string {
  return least === undefined ? '' : `${least.ratio} of ${name[least.of]}`;
}

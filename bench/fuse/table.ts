import type { Measured, Served } from '../fuse.ts';
import { median } from '../result.ts';

/** What was measured, as a page of Markdown. */
export function markdownTable(measured: Measured, version: string, rounds: number): string {
  const row = (...cells: string[]) => `| ${cells.join(' | ')} |`;
  const lines = [
    '# The data plane beside its peers', '',
    `Medians of ${rounds} rounds in turns, and the ratios of the rounds from the least to the largest. The peer is passthrough_ll of libfuse ${version}, ` +
      'with direct I/O and nothing cached for read and write, and through the page cache for mmap. `npm run bench -- fuse` writes this page.', '',
    row('', 'ours', 'passthrough_ll', 'tmpfs', 'ours / passthrough_ll', 'ours / tmpfs'), row('---', '---:', '---:', '---:', '---:', '---:'),
  ];
  for (const [{ name, unit }, rates] of measured) {
    const figure = (who: keyof Served) => `${median(rates[who]).toFixed(1)} ${unit}`;
    const ratio = (peer: keyof Served) => {
      const ratios = rates.ours.map((rate, round) => rate / rates[peer][round]!);
      return `${(median(rates.ours) / median(rates[peer])).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    };
    lines.push(row(name, figure('ours'), figure('passthrough_ll'), figure('tmpfs'), ratio('passthrough_ll'), ratio('tmpfs')));
  }
  return `${lines.join('\n')}\n`;
}

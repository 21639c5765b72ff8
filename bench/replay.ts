import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { remove } from '../test/harness/temp.ts';
import { ENTRIES, LOG, poolOf } from './million.ts';
import { type BenchResult, median } from './result.ts';

/**
 * What it takes to go from a log of a million entries, volumes as the driver makes them, to an index
 * that answers look-ups: beside one CRC pass over the same bytes, which is the least that could be
 * done to trust them. The two take turns. The first replay of a process, which compiles the code and
 * gets fresh memory, is told apart.
 */
export async function run(): Promise<BenchResult[]> {
  const file = await poolOf(ENTRIES / 2, LOG);
  const [first, ...rounds] = JSON.parse(execFileSync(process.execPath, [join(import.meta.dirname, 'replay-rounds.ts'), file], { encoding: 'utf8' })) as Round[];
  remove(file);
  const ratios = rounds.map(({ pass, replay }) => replay / pass);
  const spread = `ratios of ${rounds.length} rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  const ms = (key: keyof Round) => `${median(rounds.map((round) => round[key])).toFixed(0)} ms`;
  const name = 'replay of 1,000,000 entries / one crc32 pass over them';
  return [
    { name, ratio: median(ratios), limit: 4, detail: `${ms('replay')} against ${ms('pass')}; ${spread}` },
    {
      name: `${name}, the first of a process`, ratio: first.replay / first.pass,
      detail: `${first.replay.toFixed(0)} ms against ${first.pass.toFixed(0)} ms`,
    },
  ];
}

interface Round {
  readonly pass: number;
  readonly replay: number;
}

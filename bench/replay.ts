import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { mkfs } from '../src/famfs/mkfs.ts';
import { remove, shmFile } from '../test/harness/temp.ts';
import { ENTRIES, LOG } from './million.ts';
import { type BenchResult, median } from './result.ts';

const AU = 2 ** 21;
const ROUNDS = 9;

/**
 * What it takes to go from a log of a million entries, volumes as the driver makes them, to an index
 * that answers look-ups: beside one CRC pass over the same bytes, which is the least that could be
 * done to trust them. Each round is a process of its own, so the compiler's warm-up is counted.
 */
export async function run(): Promise<BenchResult[]> {
  const file = shmFile('replay');
  await mkfs(file, { clusterUuid: '6b1f3c52-0d43-4c0e-9d6f-2f1f6a1c7f00', simulate: 2 * AU + LOG + (ENTRIES / 2) * AU, logSize: LOG });
  script('million-entries.ts', file);
  const rounds = Array.from({ length: ROUNDS }, () => JSON.parse(script('replay-once.ts', file)) as { pass: number; replay: number });
  remove(file);
  const ratios = rounds.map(({ pass, replay }) => replay / pass);
  const [pass, replay] = [median(rounds.map((round) => round.pass)), median(rounds.map((round) => round.replay))];
  return [{
    name: 'replay of 1,000,000 entries / one crc32 pass over them',
    ratio: median(ratios),
    limit: 4,
    detail: `${replay.toFixed(0)} ms against ${pass.toFixed(0)} ms; ` +
      `ratios of ${ROUNDS} rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
  }];
}

function script(name: string, file: string): string {
  return execFileSync(process.execPath, [join(import.meta.dirname, name), file], { encoding: 'utf8' });
}

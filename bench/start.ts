import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { program } from '../test/harness/paths.ts';
import { remove } from '../test/harness/temp.ts';
import { AU, poolOf } from './million.ts';
import { type BenchResult, median } from './result.ts';

/** Each command is run so often, in turn with the others. */
const ROUNDS = 15;
/** Files of the small pool. */
const FILES = 10;
const LOG = 4 * AU;

/**
 * How long a person waits for a command that has next to nothing to do, beside a Node.js that has nothing to do.
 * A first run, which is not counted, fills Node.js's compile cache, as the first command of a person does.
 */
export async function run(): Promise<BenchResult[]> {
  const device = await poolOf(FILES, LOG);
  try {
    const commands: Record<string, readonly string[]> = {
      'node -e 0': [process.execPath, '-e', '0'],
      'famfs-csi --help': [program, '--help'],
      'famfs-csi controller --help': [program, 'controller', '--help'],
      'famfs-csi df': [program, 'df', device],
    };
    const times = Object.entries(commands).map(([name, command]) => ({ name, command, ms: [] as number[] }));
    for (let round = -1; round < ROUNDS; round++) {
      for (const { command, ms } of times) {
        const took = timeOf(command);
        if (round >= 0) ms.push(took);
      }
    }
    const [least, ...others] = times.map(({ name, ms }) => ({ name, ms: median(ms) }));
    return others.map(({ name, ms }) => ({
      name: `${name} / ${least!.name}`, ratio: ms / least!.ms, limit: 4, detail: `${ms.toFixed(0)} ms against ${least!.ms.toFixed(0)} ms`,
    }));
  } finally {
    remove(device);
  }
}

function timeOf([file, ...args]: readonly string[]): number {
  const began = performance.now();
  execFileSync(file!, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return performance.now() - began;
}

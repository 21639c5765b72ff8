import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { openDevice } from '../src/famfs/device/open.ts';
import { entryOffset } from '../src/famfs/log/log-scanner.ts';
import { Replayer } from '../src/famfs/log/replayer.ts';
import { mkfs } from '../src/famfs/mkfs.ts';
import { remove, shmFile } from '../test/harness/temp.ts';
import { ENTRIES, LOG } from './million.ts';
import { type BenchResult, median } from './result.ts';

const AU = 2 ** 21;
const ROUNDS = 9;

/**
 * What it takes to go from a log of a million entries, volumes as the driver makes them, to an index
 * that answers look-ups: beside one CRC pass over the same bytes, which is the least that could be
 * done to trust them. The two take turns.
 */
export async function run(): Promise<BenchResult[]> {
  const file = shmFile('replay');
  await mkfs(file, { clusterUuid: '6b1f3c52-0d43-4c0e-9d6f-2f1f6a1c7f00', simulate: 2 * AU + LOG + (ENTRIES / 2) * AU, logSize: LOG });
  // In a process of its own: what it compiles and allocates is not what a replay starts with.
  execFileSync(process.execPath, [fileURLToPath(new URL('./million-entries.ts', import.meta.url)), file], { stdio: 'inherit' });
  const device = openDevice(file);
  const bytes = device.log(LOG).bytes.subarray(entryOffset(0), entryOffset(ENTRIES));
  const pass: number[] = [];
  const replay: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    crc32(bytes);
    const middle = performance.now();
    const { view } = Replayer.create(device);
    if (view.resolve('pvc-00499999-0000-4000-8000-000000000000/data') !== ENTRIES + 1) throw new Error('the last volume is missing');
    const end = performance.now();
    if (round === 0) continue; // the first is for the compiler and the page tables
    pass.push(middle - start);
    replay.push(end - middle);
  }
  device.close();
  remove(file);
  const ratios = replay.map((time, k) => time / pass[k]);
  return [{
    name: 'replay of 1,000,000 entries / one crc32 pass over them',
    ratio: median(ratios),
    limit: 4,
    detail: `${median(replay).toFixed(0)} ms against ${median(pass).toFixed(0)} ms; ` +
      `ratios of ${ROUNDS} rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
  }];
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shmFile } from '../test/harness/temp.ts';
import { Host } from '../test/support/host.ts';
import { PoolFixture } from '../test/support/pool-fixture.ts';
import { type Job, jobs } from './fuse/jobs.ts';
import { buildPassthrough, peersMissing, startPassthrough } from './fuse/passthrough.ts';
import { markdownTable } from './fuse/table.ts';
import { type BenchResult, median } from './result.ts';

const SIZE = 256 * 2 ** 20;
const ROUNDS = 5;

/** The file that everybody reads and writes, by who serves it. */
export type Served = Readonly<Record<'ours' | 'passthrough_ll' | 'tmpfs', string>>;
/** What each reached in each round. */
export type Measured = ReadonlyMap<Job, Readonly<Record<keyof Served, readonly number[]>>>;

/**
 * The data plane beside C libfuse's passthrough_ll over a file on tmpfs, and that file itself. Who
 * serves takes turns in each round. Leaves a table in bench/fuse.md.
 */
export async function run(): Promise<BenchResult[]> {
  const missing = peersMissing();
  if (missing !== undefined) throw new Error(`${missing}; npm run bench:install -- --install`);
  const directory = mkdtempSync(join(tmpdir(), 'famfs-bench-'));
  const { program, version } = buildPassthrough();
  const source = shmFile('source'); // its directory
  rmSync(source, { recursive: true, force: true });
  mkdirSync(source);
  const below = join(source, 'data');
  writeFileSync(below, Buffer.alloc(SIZE, 1));
  const pool = await PoolFixture.make(SIZE + 64 * 2 ** 20);
  pool.volume('vol', SIZE);
  for (const window of pool.pool.view.windows(pool.node('vol/data'), 0, SIZE)) window.fill(1);
  const host = await Host.mount(pool.path);
  const ends: (() => Promise<void>)[] = [];
  try {
    for (const caching of ['never', 'auto'] as const) ends.push(await startPassthrough(program, source, join(directory, caching), caching));
    const served = ({ mapped }: Job): Served => ({
      ours: host.path('vol/data'), passthrough_ll: join(directory, mapped ? 'auto' : 'never', 'data'), tmpfs: below,
    });
    const measured = measure(served);
    writeFileSync(new URL('fuse.md', import.meta.url), markdownTable(measured, version, ROUNDS));
    return [...measured].flatMap(([job, rates]) => judge(job, rates));
  } finally {
    for (const end of ends) await end();
    await host.unmount();
    await host.end();
    pool.close();
    for (const left of [directory, source]) rmSync(left, { recursive: true, force: true });
  }
}

function measure(served: (job: Job) => Served): Measured {
  const measured = new Map(jobs.map((job) => [job, { ours: [] as number[], passthrough_ll: [] as number[], tmpfs: [] as number[] }]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [job, rates] of measured) {
      const files = Object.entries(served(job)) as [keyof Served, string][];
      for (const [who, file] of round % 2 === 0 ? files : files.reverse()) rates[who].push(job.run(file));
    }
  }
  return measured;
}

function judge({ name, unit, least }: Job, rates: Readonly<Record<keyof Served, readonly number[]>>): BenchResult[] {
  const peer = least?.of ?? 'passthrough_ll';
  const figure = (who: keyof Served) => `${median(rates[who]).toFixed(1)} ${unit}`;
  const ratios = rates.ours.map((rate, round) => rate / rates[peer][round]!);
  return [{
    name: `${name}: ours / ${peer}`, ratio: median(rates.ours) / median(rates[peer]), ...(least === undefined ? {} : { least: least.ratio }),
    detail: `${figure('ours')} / ${figure(peer)}; rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
  }];
}

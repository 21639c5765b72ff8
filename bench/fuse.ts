import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { shmFile } from '../test/harness/temp.ts';
import { Host } from '../test/support/host.ts';
import { fillRanges } from '../test/support/memory-bytes.ts';
import { PoolFixture } from '../test/support/pool-fixture.ts';
import { type Job, jobs } from './fuse/jobs.ts';
import { type Peer, peersMissing, type Server, servers, startPeer } from './fuse/peers.ts';
import { compare, figure, keep, keptRuns, type Rates, type Run, runOf } from './fuse/runs.ts';
import { markdownTable, titles } from './fuse/table.ts';
import type { BenchResult } from './result.ts';

/** A job takes two seconds. fuse-native is known to hang: then it has no further figures. */
const PATIENCE_MS = 60_000;
const SIZE = 256 * 2 ** 20;
/** FAMFS_BENCH_ROUNDS is for a look at work in progress: fewer rounds are not kept. */
const ENOUGH_ROUNDS = 5;
const ROUNDS = Number(process.env['FAMFS_BENCH_ROUNDS'] ?? ENOUGH_ROUNDS);

/**
 * The data plane beside C libfuse's passthrough_ll and fuse-native over a file on tmpfs, and that file
 * itself. Who serves takes turns in each round. Keeps the run, and leaves a table of all runs in
 * bench/fuse.md; the median over all of them is judged.
 */
export async function run(): Promise<BenchResult[]> {
  const missing = peersMissing();
  if (missing !== undefined) throw new Error(`${missing}; npm run bench:install -- --install`);
  const directory = mkdtempSync(join(tmpdir(), 'famfs-bench-'));
  const source = shmFile('source'); // its directory
  rmSync(source, { recursive: true, force: true });
  mkdirSync(source);
  const below = join(source, 'data');
  writeFileSync(below, Buffer.alloc(SIZE, 1));
  const pool = await PoolFixture.make(SIZE + 64 * 2 ** 20);
  pool.volume('vol', SIZE);
  fillRanges(pool.pool.memory, pool.pool.view.ranges(pool.node('vol/data'), 0, SIZE), 1);
  const host = await Host.mount(pool.path);
  const started = new Map<Server, Peer[]>();
  try {
    for (const peer of ['stable', 'newest', 'native'] as const) {
      started.set(peer, []);
      for (const caching of ['never', 'auto'] as const) started.get(peer)!.push(await startPeer(peer, source, join(directory, peer, caching), caching));
    }
    const fileOf = (server: Server, { mapped }: Job) => {
      if (server === 'ours') return host.path('vol/data');
      return server === 'tmpfs' ? below : join(directory, server, mapped ? 'auto' : 'never', 'data');
    };
    return report(runOf(await measure(fileOf, (server) => started.get(server)?.forEach(({ kill }) => kill()))));
  } finally {
    for (const { end } of [...started.values()].flat()) await end();
    await host.unmount();
    await host.end();
    pool.close();
    for (const left of [directory, source]) rmSync(left, { recursive: true, force: true });
  }
}

async function measure(fileOf: (server: Server, job: Job) => string, kill: (server: Server) => void): Promise<ReadonlyMap<Job, Rates>> {
  const measured = new Map(jobs.map((job) => [job, { ours: [], stable: [], newest: [], native: [], tmpfs: [] } as Record<Server, number[]>]));
  const serving = new Set(servers);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [job, rates] of measured) {
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        if (!serving.has(server)) continue;
        const rate = await withinPatience(job.run(fileOf(server, job)));
        if (rate !== undefined) rates[server].push(rate);
        else if (server === 'native') {
          serving.delete(server);
          kill(server);
        } else throw new Error(`${job.name}: ${server} hangs`);
      }
    }
  }
  return measured;
}

/** Undefined when it takes too long. */
async function withinPatience(rate: Promise<number>): Promise<number | undefined> {
  rate.catch(() => {}); // of one that was given up
  const timer = new AbortController();
  try {
    return await Promise.race([rate, sleep(PATIENCE_MS, undefined, { signal: timer.signal }).catch(() => undefined)]);
  } finally {
    timer.abort();
  }
}

function report(run: Run): BenchResult[] {
  if (ROUNDS >= ENOUGH_ROUNDS) {
    keep(run);
    writeFileSync(new URL('fuse.md', import.meta.url), markdownTable(keptRuns()));
  }
  const runs = ROUNDS >= ENOUGH_ROUNDS ? keptRuns() : [run];
  return jobs.flatMap((job) => (['stable', 'newest', 'native', 'tmpfs'] as const).flatMap((peer) => judge(runs, run, job, peer)));
}

function judge(runs: readonly Run[], run: Run, job: Job, peer: Server): BenchResult[] {
  const [all, present] = [compare(runs, job, peer), compare([run], job, peer)];
  if (all === undefined || present === undefined) return [];
  const spread = ({ least, most }: typeof all) => `rounds ${least.toFixed(2)} to ${most.toFixed(2)}`;
  return [{
    name: `${job.name}: ours / ${titles(run.versions)[peer]}`, ratio: all.ratio, ...(job.least?.of === peer ? { least: job.least.ratio } : {}),
    detail: `${runs.length} runs, ${spread(all)}; this one ${present.ratio.toFixed(2)}, ${spread(present)}: ${figure([run], job, 'ours')} / ${figure([run], job, peer)}`,
  }];
}

/**
 * `npm run bench [-- NAME ...]`: measures, prints ratios with the absolute figures behind them, and
 * exits non-zero when a ratio is past its limit. Run it on a machine that does nothing else.
 */
import type { BenchResult } from './result.ts';

const benches: Readonly<Record<string, () => Promise<{ run: () => Promise<BenchResult[]> }>>> = {
  replay: () => import('./replay.ts'),
  create: () => import('./create.ts'),
  reclaim: () => import('./reclaim.ts'),
  memory: () => import('./memory.ts'),
  start: () => import('./start.ts'),
  fuse: () => import('./fuse.ts'),
  pods: () => import('./pods.ts'),
};
/** Need a cluster, or programs to compare with, and so are run where they are asked for only. */
const byName = ['pods', 'fuse'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(benches).filter((known) => !byName.includes(known))) {
  const { run } = await benches[name]();
  for (const { name: what, ratio, limit, least, detail } of await run()) {
    const verdict = limit !== undefined && ratio > limit ? 'OVER' : least !== undefined && ratio < least ? 'LESS' : 'ok  ';
    if (verdict !== 'ok  ') process.exitCode = 1;
    const bounds = `${limit === undefined ? '' : ` (at most ${limit})`}${least === undefined ? '' : ` (at least ${least})`}`;
    console.log(`${verdict} ${what}: ${ratio.toFixed(2)}${bounds}; ${detail}`);
  }
}

/**
 * The process in which one tier runs, in a namespace of its own where that is possible: makes its places, runs it,
 * clears up and leaves the result in a file.
 *
 *     node test/harness/tier-process.ts TIER RESULT-FILE [MOCHA'S ARGUMENTS...]
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInNamespace } from './namespace.ts';
import type { TierResult } from './results.ts';
import { countTests, runTier } from './run-tier.ts';
import { readSkips } from './skips.ts';
import { clearStrays, lookAround, type RunPlaces } from './strays.ts';
import { areFilesKept } from './temp.ts';
import { missing, type Tier, tiers } from './tiers.ts';

const sharedMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

async function runOrSkip(tier: Tier, places: RunPlaces, extra: string[]): Promise<TierResult> {
  console.log(`\n== ${tier.name}`);
  const reason = missing(tier).join('; ');
  if (!reason) return runTier(tier, places, readSkips(new URL('../skips.json', import.meta.url)), extra);
  console.log(`   not run: ${reason}`);
  const skipped = await countTests(tier, places, extra);
  const problems = process.env['CI'] === 'true' ? [`a prerequisite is missing, which CI does not forgive: ${reason}`] : [];
  return { passed: 0, failed: problems.length, skipped, problems, ms: 0, reason };
}

const [name, file, ...extra] = process.argv.slice(2);
const tier = tiers.find((each) => each.name === name)!;
const base = mkdtempSync(join(tmpdir(), 'famfs-run-'));
const id = base.slice(base.lastIndexOf('-') + 1);
const places: RunPlaces = { id, temp: join(base, 't'), shm: join(sharedMemory, `famfs-test-${id}`) };
// Outside of the namespace, mounts are the machine's: others come and go.
const before = { mounts: isInNamespace() ? lookAround([tier]).mounts : undefined, places: undefined };

function cleanUp(): void {
  clearStrays(places, before);
  if (areFilesKept) return console.log(`kept: ${base} ${places.shm}`);
  rmSync(places.shm, { recursive: true, force: true });
  rmSync(base, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    cleanUp();
    process.exit(130);
  });
}
try {
  chmodSync(base, 0o755); // tests that act as other users must get through
  mkdirSync(places.temp);
  const result = await runOrSkip(tier, places, extra);
  writeFileSync(file, JSON.stringify(result));
} finally {
  cleanUp();
}

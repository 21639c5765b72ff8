/**
 * npm test: runs the tiers in order and counts.
 *
 *     npm test                       everything this machine can run, but for tiers that have to be named
 *     npm test -- unit integration   the named tiers
 *     npm test -- unit -- -g claim   arguments after a second -- go to mocha
 *
 * A tier whose prerequisites are missing is skipped with the reason; with CI=true that is a failure,
 * and no tier has to be named. Each tier's slowest tests and wall time are printed. The last line is always `N passed, N failed, N skipped`.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInNamespace, runInNamespace } from './harness/namespace.ts';
import { printTotals, type TierResult } from './harness/results.ts';
import { countTests, runTier } from './harness/run-tier.ts';
import { readSkips } from './harness/skips.ts';
import { clearStrays, lookAround, type RunPlaces } from './harness/strays.ts';
import { missing, type Tier, tiers } from './harness/tiers.ts';

const sharedMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const inCi = process.env['CI'] === 'true';

/** Where the part of a run that is in a namespace of its own leaves its results. */
const RESULTS = 'FAMFS_TEST_RESULTS';
/** When `.ci/run` began, in seconds since 1970. */
const CI_BEGAN = 'FAMFS_CI_BEGAN';

function parseArguments(args: string[]): { chosen: Tier[]; extra: string[] } {
  const separator = args.indexOf('--');
  const names = separator < 0 ? args : args.slice(0, separator);
  const unknown = names.filter((name) => !tiers.some((tier) => tier.name === name));
  if (unknown.length > 0) {
    const known = tiers.map((tier) => tier.name).join(', ');
    throw new Error(`no such tier: ${unknown.join(', ')} (there are ${known})`);
  }
  const chosen = tiers.filter((tier) => (names.length === 0 ? inCi || !tier.byName : names.includes(tier.name)));
  return { chosen, extra: separator < 0 ? [] : args.slice(separator + 1) };
}

async function runOrSkip(tier: Tier, places: RunPlaces, extra: string[]): Promise<TierResult> {
  console.log(`\n== ${tier.name}`);
  const reason = missing(tier).join('; ');
  if (!reason) {
    return runTier(tier, places, readSkips(new URL('./skips.json', import.meta.url)), extra);
  }
  console.log(`   not run: ${reason}`);
  const skipped = await countTests(tier, places, extra);
  const problems = inCi ? [`a prerequisite is missing, which CI does not forgive: ${reason}`] : [];
  return { passed: 0, failed: problems.length, skipped, problems, ms: 0, reason };
}

/** Wall times of this run and of `.ci/run` around it, in milliseconds. */
function wholeTimes(began: number): Record<string, number> {
  const ci = process.env[CI_BEGAN];
  return { whole: performance.now() - began, ...(ci === undefined ? {} : { '.ci/run': Date.now() - Number(ci) * 1000 }) };
}

async function main(args: string[]): Promise<number> {
  const began = performance.now();
  const { chosen, extra } = parseArguments(args);
  const base = mkdtempSync(join(tmpdir(), 'famfs-run-'));
  const id = base.slice(base.lastIndexOf('-') + 1);
  const places: RunPlaces = { id, temp: join(base, 't'), shm: join(sharedMemory, `famfs-test-${id}`) };
  // Outside of the namespace, mounts are the machine's: others come and go.
  const before = isInNamespace() ? lookAround(chosen) : { ...lookAround(), mounts: undefined };
  const cleanUp = (): void => {
    clearStrays(places, before);
    rmSync(places.shm, { recursive: true, force: true });
    rmSync(base, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      cleanUp();
      process.exit(130);
    });
  }
  try {
    chmodSync(base, 0o755); // tests that act as other users must get through
    mkdirSync(places.temp);
    const results = await runTiers(chosen, places, extra);
    const file = process.env[RESULTS];
    if (file === undefined) return printTotals(results, wholeTimes(began)) === 0 ? 0 : 1;
    writeFileSync(file, JSON.stringify([...results]));
    return 0;
  } finally {
    cleanUp();
  }
}

/** Runs the tiers that can be kept apart from the machine in a namespace of their own, then the others. */
async function runTiers(chosen: readonly Tier[], places: RunPlaces, extra: string[]): Promise<Map<string, TierResult>> {
  const apart = isInNamespace() ? [] : chosen.filter((tier) => !tier.onMachine);
  const results = apart.length === 0 ? undefined : await runApart(apart, places, extra);
  const here = results === undefined ? chosen : chosen.filter((tier) => tier.onMachine);
  const all = results ?? new Map<string, TierResult>();
  for (const tier of here) all.set(tier.name, await runOrSkip(tier, places, extra));
  return all;
}

/** The results from inside; undefined where this machine allows no namespaces. */
async function runApart(apart: readonly Tier[], places: RunPlaces, extra: string[]): Promise<Map<string, TierResult> | undefined> {
  const file = join(places.temp, '..', 'results.json');
  const args = [...apart.map(({ name }) => name), ...(extra.length > 0 ? ['--', ...extra] : [])];
  const code = await runInNamespace(fileURLToPath(import.meta.url), args, { [RESULTS]: file });
  if (code === undefined) return undefined;
  if (!existsSync(file)) throw new Error(`the run in a namespace ended with ${code} and without results`);
  return new Map(JSON.parse(readFileSync(file, 'utf8')) as [string, TierResult][]);
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`npm test: ${error instanceof Error ? error.message : String(error)}`);
  return 2;
});

/**
 * npm test: runs the tiers in order and counts.
 *
 *     npm test                       everything this machine can run
 *     npm test -- unit integration   the named tiers
 *     npm test -- unit -- -g claim   arguments after a second -- go to mocha
 *
 * A tier whose prerequisites are missing is skipped with the reason; with CI=true that is a failure.
 * The last line is always `N passed, N failed, N skipped`.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNamespace } from './harness/namespace.ts';
import { countTests, runTier, type TierResult } from './harness/run-tier.ts';
import { readSkips } from './harness/skips.ts';
import { clearStrays, lookAround, type RunPlaces } from './harness/strays.ts';
import { missing, tiers, type Tier } from './harness/tiers.ts';

const sharedMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const inCi = process.env['CI'] === 'true';

function parseArguments(args: string[]): { chosen: Tier[]; extra: string[] } {
  const separator = args.indexOf('--');
  const names = separator < 0 ? args : args.slice(0, separator);
  const unknown = names.filter((name) => !tiers.some((tier) => tier.name === name));
  if (unknown.length > 0) {
    const known = tiers.map((tier) => tier.name).join(', ');
    throw new Error(`no such tier: ${unknown.join(', ')} (there are ${known})`);
  }
  const chosen = names.length === 0 ? [...tiers] : tiers.filter((tier) => names.includes(tier.name));
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
  return { passed: 0, failed: problems.length, skipped, problems, reason };
}

function printTotals(results: Map<string, TierResult>): TierResult {
  const total: TierResult = { passed: 0, failed: 0, skipped: 0, problems: [] };
  console.log('\n== totals');
  for (const [name, result] of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    const why = result.reason ? ` (not run: ${result.reason})` : '';
    console.log(`   ${name.padEnd(12)} ${counts(result)}${why}`);
    for (const problem of result.problems) console.log(`                FAILED: ${problem}`);
  }
  console.log(`\n${counts(total)}`);
  return total;
}

function counts({ passed, failed, skipped }: TierResult): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

async function main(args: string[]): Promise<number> {
  const { chosen, extra } = parseArguments(args);
  const inside = await runInNamespace(fileURLToPath(import.meta.url), args);
  if (inside !== undefined) return inside;

  const base = mkdtempSync(join(tmpdir(), 'famfs-run-'));
  const id = base.slice(base.lastIndexOf('-') + 1);
  const places: RunPlaces = { id, temp: join(base, 't'), shm: join(sharedMemory, `famfs-test-${id}`) };
  const before = lookAround();
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
    const results = new Map<string, TierResult>();
    for (const tier of chosen) results.set(tier.name, await runOrSkip(tier, places, extra));
    return printTotals(results).failed === 0 ? 0 : 1;
  } finally {
    cleanUp();
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`npm test: ${error instanceof Error ? error.message : String(error)}`);
  return 2;
});

/** Runs one tier in a mocha process of its own and judges what it reports and leaves behind. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, compiled, root } from './paths.ts';
import type { TierReport } from './reporter.ts';
import { seconds, slowest, type TierResult } from './results.ts';
import { type AllowedSkip, skipProblems } from './skips.ts';
import { clearStrays, lookAround, type RunPlaces, runProcesses, untilProcessesEnd } from './strays.ts';
import type { Tier } from './tiers.ts';

/**
 * Whether a test that takes longer of its own than it may is a failure: in `npm run test:quick`, on a machine that a
 * person looks at. Beside other tiers it is told and no more: even processor time grows where caches are shared.
 */
const isTimeHeld = process.env['FAMFS_TEST_HOLD_TIMES'] === 'true';

/** How long mocha's process may live on after its last test: open handles are a defect. */
const lingerMs = 10_000;

/** Runs a tier; `extra` are mocha's arguments from the command line. */
export async function runTier(
  tier: Tier,
  places: RunPlaces,
  skips: AllowedSkip[],
  extra: string[],
): Promise<TierResult> {
  const began = performance.now();
  const before = { ...lookAround([tier]), places: undefined };
  const { report, problems } = await runMocha(tier, places, extra);
  if (report) {
    problems.push(...skipProblems(tier.name, report, skips, extra.length === 0));
    const ran = report.passed + report.failed.length + report.pending.length;
    if (ran === 0 && extra.length === 0) problems.push('the tier ran no test');
    for (const { title, ms } of report.tooLong) {
      const text = `takes ${seconds(ms)} of its own, in this tier ${seconds(tier.longestTestMs!)} is the most: ${title}`;
      if (isTimeHeld) problems.push(text);
      else console.log(`   ${text}`);
    }
    console.log(['   slowest:', ...slowest(report.timed)].join('\n'));
  }
  await untilProcessesEnd(places.id);
  problems.push(...clearStrays(places, before));
  return {
    passed: report?.passed ?? 0,
    failed: (report?.failed.length ?? 0) + problems.length,
    skipped: report?.pending.length ?? 0,
    problems,
    ms: performance.now() - began,
  };
}

/** Counts the tests of a tier that cannot run, so that the totals tell how much was left out. */
export async function countTests(tier: Tier, places: RunPlaces, extra: string[]): Promise<number> {
  const { report } = await runMocha(tier, places, [...extra, '--dry-run'], 'ignore');
  return report?.defined.length ?? 1;
}

async function runMocha(
  tier: Tier,
  places: RunPlaces,
  extra: string[],
  stdio: 'inherit' | 'ignore' = 'inherit',
): Promise<{ report: TierReport | undefined; problems: string[] }> {
  const problems: string[] = [];
  const reportFile = join(places.temp, '..', `report-${tier.name}.json`);
  const args = ['--reporter', join(root, 'test/harness/reporter.ts'), '--forbid-only', ...extra];
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const child = spawn(process.execPath, [mocha, ...args, tier.files], {
    cwd: root,
    stdio: ['ignore', stdio, stdio],
    env: {
      ...process.env,
      FAMFS_TEST_RUN: places.id,
      FAMFS_TEST_REPORT: reportFile,
      FAMFS_TEST_SHM: places.shm,
      FAMFS_TEST_CACHE: cache,
      ...(tier.longestTestMs === undefined ? {} : { FAMFS_TEST_LONGEST_MS: String(tier.longestTestMs) }),
      TMPDIR: places.temp,
      NODE_COMPILE_CACHE: compiled,
    },
  });
  let reportedAt: number | undefined;
  const startedAt = Date.now();
  const watch = setInterval(() => {
    if (reportedAt === undefined && existsSync(reportFile)) reportedAt = Date.now();
    const lingering = reportedAt !== undefined && Date.now() - reportedAt > lingerMs;
    if (!lingering && Date.now() - startedAt < tier.limitMs) return;
    const why = lingering
      ? `something keeps the test process alive ${lingerMs / 1000} s after its last test`
      : `not finished after ${tier.limitMs / 60_000} minutes`;
    problems.push(`${why}${describe(places.id)}`);
    clearInterval(watch);
    child.kill('SIGKILL');
  }, 500);
  const ending = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  clearInterval(watch);
  if (!existsSync(reportFile)) {
    if (problems.length === 0) problems.push(`mocha ended without a report: ${ending}`);
    return { report: undefined, problems };
  }
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as TierReport;
  rmSync(reportFile);
  const agrees = ending === `exit code ${Math.min(report.failed.length, 255)}`;
  if (!agrees && problems.length === 0) {
    problems.push(`mocha reported ${report.failed.length} failures but ended with ${ending}`);
  }
  return { report, problems };
}

/** The run's other processes, for the message about a run that hangs. */
function describe(id: string): string {
  const commands = runProcesses(id).map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`);
  return commands.length > 0 ? `; running: ${commands.join(' | ')}` : '';
}

/**
 * npm test: runs the tiers and counts.
 *
 *     npm test                       everything this machine can run, but for tiers that have to be named
 *     npm test -- unit integration   the named tiers
 *     npm test -- unit -- -g claim   arguments after a second -- go to mocha
 *     FAMFS_TEST_KEEP=true npm test  the tests' files stay, and the end tells where
 *     FAMFS_TEST_LANES=1 npm test    one tier after the other, and not two at a time
 *
 * A tier whose prerequisites are missing is skipped with the reason; with CI=true that is a failure, and no tier
 * has to be named. The end tells each tier's wall time; the last line is `N passed, N failed, N skipped`.
 */
import { TiersApart } from './harness/apart.ts';
import { inLanes } from './harness/lanes.ts';
import { namespaceCommand } from './harness/namespace.ts';
import { type Preparation, preparationsOf, prepare } from './harness/preparations.ts';
import { printTotals, seconds } from './harness/results.ts';
import { type Tier, tiers } from './harness/tiers.ts';

const inCi = process.env['CI'] === 'true';

/** As many as have something to do for two processors: some calculate, some wait. */
const LANES = 2;

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

/** Wall times of this run and of `.ci/run` around it, which says when it began in seconds since 1970; in milliseconds. */
function wholeTimes(began: number): Record<string, number> {
  const ci = process.env['FAMFS_CI_BEGAN'];
  return { whole: performance.now() - began, ...(ci === undefined ? {} : { '.ci/run': Date.now() - Number(ci) * 1000 }) };
}

async function main(args: string[]): Promise<number> {
  const began = performance.now();
  const { chosen, extra } = parseArguments(args);
  const isolation = namespaceCommand();
  // Without namespaces they see each other's mounts, and would take them for their own.
  const lanes = isolation === undefined ? 1 : Number(process.env['FAMFS_TEST_LANES'] ?? LANES);
  const apart = new TiersApart(isolation ?? [], extra);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      ending.abort();
      void apart.stop().finally(() => process.exit(130));
    });
  }
  try {
    const works: (Preparation | Tier)[] = [...preparationsOf(chosen), ...chosen];
    const results = await inLanes(works, lanes, (work, beside) => {
      const isAlone = lanes === 1 || works.length === 1 || work.alone === true;
      const names = [work, ...beside].map(({ name }) => name).join(' beside ');
      if (!isAlone) console.log(`${seconds(performance.now() - began).padStart(9)}  ${names}`);
      return 'command' in work ? prepare(work, ending.signal) : apart.run(work, isAlone);
    });
    return printTotals(new Map([...results].map(([{ name }, result]) => [name, result])), wholeTimes(began)) === 0 ? 0 : 1;
  } finally {
    apart.close();
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`npm test: ${error instanceof Error ? error.message : String(error)}`);
  return 2;
});

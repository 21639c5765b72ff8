/**
 * `npm run campaign [-- NAME ...]`: what takes too long for every run of the tests. Prints what it
 * finds and exits non-zero when something is wrong.
 */
const campaigns: Readonly<Record<string, () => Promise<{ run: () => Promise<boolean> }>>> = {
  suite: () => import('./suite.ts'),
  model: () => import('./model.ts'),
  stores: () => import('./stores.ts'),
  kills: () => import('./kills.ts'),
  cycles: () => import('./cycles.ts'),
  stale: () => import('./stale.ts'),
  hostile: () => import('./hostile.ts'),
  survival: () => import('./survival.ts'),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in campaigns));
if (unknown.length > 0) {
  console.error(`no such campaign: ${unknown.join(', ')}; there are ${Object.keys(campaigns).join(', ')}`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(campaigns)) {
  console.log(`== ${name}`);
  const { run } = await campaigns[name]();
  if (!await run()) process.exitCode = 1;
}

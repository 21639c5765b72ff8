/** Runs tests of Kubernetes' storage suite against the release in the cluster, and counts how they end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { loadImages, openCluster } from '../../cluster/cluster.ts';
import { buildSuiteImages } from '../../cluster/images.ts';
import { ensureStorageSuite } from '../../cluster/programs.ts';
import { environment, list } from '../support/kubectl.ts';
import { Names } from '../support/objects.ts';
import { classify, namespacesOf, type Verdict } from './classify.ts';
import { describeDriver, listSpecs, runSpec, type Suite } from './ginkgo.ts';
import { Repeater } from './repeat.ts';
import { isSuited, mustPass, shortName, unknownNames } from './selection.ts';
import { Witness } from './witness.ts';

/** Most of a test is waiting: three at a time keep two cores busy. */
const AT_ONCE = 3;

/** Tests that want the cluster for themselves. */
const alone = /\[Serial\]|\[Disruptive\]/;

/** Builds the suite and makes its images known to the nodes of a cluster. */
export async function prepareSuite(cluster: string): Promise<string> {
  const target = openCluster(cluster);
  if (!target.stock) await loadImages(target, await buildSuiteImages());
  return ensureStorageSuite();
}

/** Runs the tests that `wanted` chooses, and tells of each as it ends. */
export async function runSuite(
  program: string, wanted: (name: string) => boolean, tell: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const directory = mkdtempSync(join(tmpdir(), 'famfs-driver-'));
  const config = new KubeConfig();
  config.loadFromFile(environment.kubeconfig);
  const witness = new Witness(config);
  try {
    const suite: Suite = { program, driverFile: join(directory, 'driver.yaml') };
    describeDriver(join(import.meta.dirname, 'driver.yaml'), await topologyKeys(), suite.driverFile);
    const all = await listSpecs(suite);
    const unknown = unknownNames(all);
    if (unknown.length > 0) throw new Error(`selection.ts names tests that the suite does not have: ${unknown.join('; ')}`);
    const names = all.filter((name) => isSuited(name) && wanted(name));
    await witness.start();
    const judge = async (name: string): Promise<Verdict> => {
      const repeater = new Repeater();
      const report = await runSpec(suite, name, (line) => repeater.look(line));
      const { mounts, logs } = await witness.tell(namespacesOf(report));
      const verdict = classify(report, { mounts, logs: [...logs, await repeater.said()] }, mustPass(name));
      tell(verdict);
      return verdict;
    };
    return [
      ...await inParallel(names.filter((name) => !alone.test(name)), AT_ONCE, judge),
      ...await inParallel(names.filter((name) => alone.test(name)), 1, judge),
    ];
  } finally {
    await witness.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function topologyKeys(): Promise<string[]> {
  const drivers = (await list('csinodes')).flatMap(({ spec }) => spec.drivers ?? []);
  return [...new Set<string>(drivers.filter(({ name }) => name === Names.driver).flatMap(({ topologyKeys: keys }) => keys))];
}

async function inParallel<Item, Result>(items: readonly Item[], atOnce: number, act: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const rest = items.values();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const item of rest) results.push(await act(item));
  }));
  return results;
}

/** The counts, and of each kind what there was, in lines. */
export function summarise(verdicts: readonly Verdict[]): string[] {
  const count = (kind: Verdict['kind']) => verdicts.filter((verdict) => verdict.kind === kind).length;
  const reasons = new Map<string, number>();
  for (const verdict of verdicts) {
    if (verdict.kind === 'skipped') reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
  }
  return [
    `${verdicts.length} tests: ${count('passed')} passed, ${count('refused')} refused by the mount, ${count('skipped')} left out, ${count('wrong')} wrong`,
    ...[...reasons].sort(([, a], [, b]) => b - a).map(([reason, times]) => `  ${times} left out: ${reason}`),
    ...verdicts.flatMap((verdict) => verdict.kind === 'refused' ? [`  refused: ${shortName(verdict.name)}: ${verdict.words}`] : []),
    ...verdicts.flatMap((verdict) => verdict.kind === 'wrong' ? [`  WRONG: ${shortName(verdict.name)}: ${verdict.problem}`] : []),
  ];
}

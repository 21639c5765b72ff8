/**
 * What tiers need that takes long to make and that others do not wait for: it is made beside them, at the lowest
 * priority, from what they leave of the machine.
 */
import { areProgramsBuilt, goVersion, isSuiteBuilt } from '../cluster/programs.ts';
import { treesCached } from '../cluster/rootfs.ts';
import { runBlock } from './block.ts';
import type { Lane } from './lanes.ts';
import type { TierResult } from './results.ts';
import { goPrograms, type Tier } from './tiers.ts';

/** A command of `npm run cluster` that goes before tiers. */
export interface Preparation extends Lane {
  readonly name: string;
  readonly command: string;
}

/** What has to be made for these tiers; nothing where there is no Go, which they say themselves. */
export function preparationsOf(chosen: readonly Tier[]): Preparation[] {
  if (goVersion() === undefined) return [];
  const needed: Preparation[] = [];
  const isForCluster = chosen.some(({ name }) => name === 'e2e');
  if ((isForCluster || chosen.some(({ takes }) => takes === goPrograms)) && !areProgramsBuilt()) {
    needed.push({ name: 'programs', command: 'programs', takes: goPrograms, background: true });
  }
  // Only in CI may it install what makes the trees; elsewhere the tier makes what is missing.
  if (isForCluster && process.env['CI'] === 'true' && !(isSuiteBuilt() && treesCached())) {
    needed.push({ name: 'cluster', command: 'prepare', takes: goPrograms, background: true });
  }
  return needed;
}

/** Runs a preparation to its end. */
export async function prepare({ name, command }: Preparation, ending: AbortSignal): Promise<TierResult> {
  const { code, output, ms } = await runBlock('nice', ['-n', '19', process.execPath, 'test/cluster/main.ts', command], ending);
  console.log(`\n== ${name}\n${output.trimEnd()}`);
  const problems = code === 0 ? [] : [`npm run cluster -- ${command} ended with exit code ${code}`];
  return { passed: 0, failed: problems.length, skipped: 0, problems, ms };
}

/** The tiers of the suite, from fast to real, and what each needs of the machine. */
import { missing as clusterMissing, programsMissing } from '../cluster/missing.ts';
import { modelMissing } from '../model/missing.ts';
import { kernelMissing } from '../vm/kernel.ts';
import { fuseMissing, type Probe, programs } from './prerequisites.ts';

/** One tier: a set of test files with the same needs, run by one mocha process. */
export interface Tier {
  name: string;
  files: string;
  prerequisites: Probe[];
  /** The whole tier is given up after this long. */
  limitMs: number;
  /** What no test may take, of its own: see own-time.ts. */
  longestTestMs?: number;
  /** Too long for every run: it is run where it is named, and in CI. */
  byName?: true;
  /** Works on the machine itself and not in a namespace of its own; sees to what it leaves there. */
  onMachine?: true;
}

const minute = 60_000;

export const tiers: readonly Tier[] = [
  { name: 'unit', files: 'test/unit/**/*.test.ts', prerequisites: [], limitMs: 10 * minute, longestTestMs: 2000 },
  { name: 'long', files: 'test/long/*.test.ts', prerequisites: [], limitMs: 45 * minute },
  { name: 'faults', files: 'test/faults/*.test.ts', prerequisites: [fuseMissing], limitMs: 20 * minute },
  { name: 'model', files: 'test/model/*.test.ts', prerequisites: [modelMissing], limitMs: 15 * minute },
  {
    name: 'integration',
    files: 'test/integration/**/*.test.ts',
    prerequisites: [fuseMissing],
    limitMs: 15 * minute,
  },
  {
    name: 'sanity',
    files: 'test/sanity/*.test.ts',
    prerequisites: [fuseMissing, programsMissing],
    limitMs: 15 * minute,
  },
  {
    name: 'kube',
    files: 'test/kube/*.test.ts',
    prerequisites: [programsMissing],
    limitMs: 25 * minute, // most of it to build the API server where there is none yet
  },
  {
    name: 'chart',
    files: 'test/chart/*.test.ts',
    prerequisites: [programsMissing],
    limitMs: 25 * minute, // most of it to build helm and the API server where there are none yet
  },
  {
    name: 'vm',
    files: 'test/vm/*.test.ts',
    prerequisites: [
      programs('qemu-system-x86_64', 'virtiofsd', 'ndctl', 'busybox', 'cpio', 'xz'),
      kernelMissing,
    ],
    limitMs: 35 * minute, // emulated processors
  },
  {
    name: 'e2e',
    files: 'test/e2e/*.test.ts',
    prerequisites: [() => clusterMissing({ install: process.env['CI'] === 'true' || process.env['FAMFS_E2E_INSTALL'] === 'true' })],
    limitMs: 75 * minute,
    byName: true,
    onMachine: true,
  },
];

/** Everything a tier misses, in words; empty when it can run. */
export function missing(tier: Tier): string[] {
  return tier.prerequisites.map((probe) => probe()).filter((reason) => reason !== undefined);
}

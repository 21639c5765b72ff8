/** The tiers of the suite and what each needs of the machine. */
import { missing as clusterMissing, programsMissing } from '../cluster/missing.ts';
import { modelMissing } from '../model/missing.ts';
import { kernelMissing } from '../vm/kernel.ts';
import { type Lane } from './lanes.ts';
import { fuseMissing, type Probe, programs } from './prerequisites.ts';

/** One tier: a set of test files with the same needs, run by one mocha process. */
export interface Tier extends Lane {
  name: string;
  files: string;
  prerequisites: Probe[];
  /** The whole tier is given up after this long: far more than a slow machine needs. */
  limitMs: number;
  /** What no test may take, of its own: see own-time.ts. */
  longestTestMs?: number;
  /** Too long for every run: it is run where it is named, and in CI. */
  byName?: true;
  /** Works on the machine itself and not in a namespace of its own; sees to what it leaves there. */
  onMachine?: true;
}

const minute = 60_000;

/** The programs of the cluster, which a tier builds where they are missing. */
export const goPrograms = 'the programs of the cluster';

/** In the order in which they start: the longest that leaves room for others comes early. */
export const tiers: readonly Tier[] = [
  { name: 'unit', files: 'test/unit/**/*.test.ts', prerequisites: [], limitMs: 30 * minute, longestTestMs: 2000 },
  {
    name: 'vm',
    files: 'test/vm/*.test.ts',
    prerequisites: [
      programs('qemu-system-x86_64', 'virtiofsd', 'ndctl', 'busybox', 'cpio', 'xz'),
      kernelMissing,
    ],
    limitMs: 60 * minute, // emulated processors
  },
  { name: 'long', files: 'test/long/*.test.ts', prerequisites: [], limitMs: 90 * minute },
  { name: 'faults', files: 'test/faults/*.test.ts', prerequisites: [fuseMissing], limitMs: 60 * minute },
  { name: 'model', files: 'test/model/*.test.ts', prerequisites: [modelMissing], limitMs: 60 * minute },
  {
    name: 'integration',
    files: 'test/integration/**/*.test.ts',
    prerequisites: [fuseMissing],
    limitMs: 60 * minute,
  },
  {
    name: 'sanity',
    files: 'test/sanity/*.test.ts',
    prerequisites: [fuseMissing, programsMissing],
    takes: goPrograms,
    limitMs: 60 * minute,
  },
  {
    name: 'kube',
    files: 'test/kube/*.test.ts',
    prerequisites: [programsMissing],
    takes: goPrograms,
    limitMs: 120 * minute, // most of it to build helm and the API server where there are none yet
  },
  {
    name: 'chart',
    files: 'test/chart/*.test.ts',
    prerequisites: [programsMissing],
    takes: goPrograms,
    limitMs: 120 * minute, // most of it to build helm and the API server where there are none yet
  },
  {
    name: 'e2e',
    files: 'test/e2e/*.test.ts',
    prerequisites: [() => clusterMissing({ install: process.env['CI'] === 'true' || process.env['FAMFS_E2E_INSTALL'] === 'true' })],
    limitMs: 240 * minute,
    byName: true,
    onMachine: true,
    alone: true,
  },
];

/** Everything a tier misses, in words; empty when it can run. */
export function missing(tier: Tier): string[] {
  return tier.prerequisites.map((probe) => probe()).filter((reason) => reason !== undefined);
}

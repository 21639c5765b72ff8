/** Says of each of Kubernetes' storage tests whether it ended as it has to for volumes that hold one fixed file. */
import { nameOf, type SpecReport } from './ginkgo.ts';
import type { Testimony } from './witness.ts';

/** How a test ended. */
export type Verdict = (
  | { readonly kind: 'passed' }
  /** The test itself found that it does not concern this driver. */
  | { readonly kind: 'skipped'; readonly reason: string }
  /** It failed because our mount refuses creation and truncation: `words` are what its log says. */
  | { readonly kind: 'refused'; readonly words: string }
  /** Anything else. */
  | { readonly kind: 'wrong'; readonly problem: string }
) & { readonly name: string; readonly seconds: number };

/** Why a test leaves itself out, and what of the driver that follows from. */
const skips: readonly (readonly [words: RegExp, reason: string])[] = [
  [/does not support volume type "(PreprovisionedPV|InlineVolume|CSIInlineVolume)"/, 'volumes are made by the provisioner'],
  [/doesn't support (ntfs|xfs|ext3|ext4) /, 'the file system is famfs'],
  [/doesn't support Block |does not provide raw block|does not support block volume mode|Filesystem volume case should be covered by block/, 'no block volumes'],
  [/does not support (online )?volume expansion/, 'volumes have a fixed size'],
  [/does not support (volume clone|cloning|populating data from snapshot|(volume |group )?snapshots|snapshot metadata)|volume group snapshot stress|snapshot stress/, 'no clones and no snapshots'],
  [/VolumeAttributesClass|volume modify stress/, 'nothing of a volume can be modified'],
  [/does not support SELinuxMount/, 'no SELinux labels by mount options'],
  [/does not support volume limits|Suite "volumeLimits" does not support/, 'a node takes any number of volumes'],
  [/multi-topology environment|separate topology segments|WaitForFirstConsumer binding mode/, 'a volume is made where its pod can run'],
  [/Not enough topologies|No topology with at least/, 'there is one pool in this cluster'],
  [/performance test options/, 'times are measured by our own benches'],
  [/SSH key/, 'the test wants SSH to the nodes; our own tests stop nodes and kubelets'],
];

/**
 * What follows from a failure: the pod of a test that failed lives until its namespace is deleted, and
 * the test's clean-up waits for the volume before that. Whether it goes then, the leak check tells.
 */
const follows = /^while clean(ing )?up resource: persistent Volume \S+ not deleted by dynamic provisioner: PersistentVolume \S+ still exists within \S+$/;

/** How the test's own log quotes what a pod says. */
const quoting = /^.*(?:container "[^"]+": |logs: |\bstderr: "?)|(?:\\n)?"$/g;

const refusal = /(\/[^\s'"‘’]*?)['"’]?: (?:operation not permitted|invalid argument)/i;

/** Classifies a finished test, for which nothing but passing may be good enough. */
export function classify(report: SpecReport, testimony: Testimony, mustPass = false): Verdict {
  const common = { name: nameOf(report), seconds: Math.round(report.RunTime / 1e9) };
  const message = report.Failure?.Message ?? '';
  if (report.State === 'passed') return { ...common, kind: 'passed' };
  if (mustPass) return { ...common, kind: 'wrong', problem: `it has to pass, and ${report.State}: ${message}` };
  if (report.State === 'skipped') {
    const reason = skips.find(([words]) => words.test(message))?.[1];
    return reason === undefined
      ? { ...common, kind: 'wrong', problem: `left out, and we know no reason: ${message || 'it was never begun'}` }
      : { ...common, kind: 'skipped', reason };
  }
  const more = (report.AdditionalFailures ?? []).map(({ Failure }) => Failure.Message).filter((text) => !follows.test(text));
  if (more.length > 0) return { ...common, kind: 'wrong', problem: [message, ...more].join('\nand then: ') };
  const log = [message, report.CapturedGinkgoWriterOutput ?? '', ...testimony.logs].join('\n');
  const words = findRefusal(log, testimony.mounts);
  return words === undefined ? { ...common, kind: 'wrong', problem: message } : { ...common, kind: 'refused', words };
}

/** The first line of a log in which a file on one of the mounts is refused with EPERM or EINVAL. */
export function findRefusal(log: string, mounts: ReadonlySet<string>): string | undefined {
  return log.split('\n').map((line) => line.replace(quoting, '').trim()).find((line) => {
    const path = refusal.exec(line)?.[1];
    return path !== undefined && [...mounts].some((mount) => path === mount || path.startsWith(`${mount}/`));
  });
}

/** Namespaces that a test had: the framework says when it is done with one. */
export function namespacesOf({ SpecEvents = [] }: SpecReport): string[] {
  const steps = SpecEvents.map(({ Message = '' }) => Message).join('\n');
  return [...new Set([...steps.matchAll(/^Destroying namespace "([^"]+)"/gm)].map(([, name]) => name!))];
}

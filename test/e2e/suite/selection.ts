/** Which of Kubernetes' storage tests are run, and which of them have to pass. */

/** A test's name without what all of them share. */
export function shortName(name: string): string {
  return name.replace(/^External Storage \[Driver: [^\]]*\] /, '');
}

const dynamic = '[Testpattern: Dynamic PV (default fs)]';
const filesystem = '[Testpattern: Dynamic PV (filesystem volmode)]';
const ephemeral = '[Testpattern: Generic Ephemeral-volume (default fs) (late-binding)] ephemeral';

/** Tests that neither create nor truncate in a volume, nor leave themselves out. */
const passing: ReadonlySet<string> = new Set([
  '[Testpattern: Dynamic PV (block volmode)] volumeMode should fail in binding dynamic provisioned PV to PVC [Slow] [LinuxOnly]',
  `${dynamic} capacity provides storage capacity information`,
  `${dynamic} provisioning should mount multiple PV pointing to the same storage on the same node`,
  `${dynamic} read-write-once-pod should block a second pod from using an in-use ReadWriteOncePod volume on the same node`,
  `${dynamic} read-write-once-pod should preempt lower priority pods using ReadWriteOncePod volumes [Serial]`,
  `${dynamic} subPath should verify container cannot write to subpath readonly volumes [Slow]`,
  `${dynamic} volume-stress multiple pods should access different volumes repeatedly [Slow] [Serial]`,
  '[Testpattern: Dynamic PV (delayed binding)] topology should provision a volume and schedule a pod with AllowedTopologies',
  `${filesystem} multiVolume [Slow] should concurrently access the single read-only volume from pods on the same node`,
  `${filesystem} volumeMode should not mount / map unused volumes in a pod [LinuxOnly]`,
  '[Testpattern: Dynamic PV (immediate binding)] topology should provision a volume and schedule a pod with AllowedTopologies',
  `${ephemeral} should create read-only inline ephemeral volume`,
  `${ephemeral} should create read/write inline ephemeral volume`,
  `${ephemeral} should support multiple inline ephemeral volumes`,
]);

/** Of the tests that our mount refuses: each way to create, by a pod's command and by the kubelet. */
const refusedSamples: ReadonlySet<string> = new Set([
  `${dynamic} fsgroupchangepolicy (Always)[LinuxOnly], pod created with an initial fsgroup, new pod fsgroup applied to volume contents`,
  `${dynamic} provisioning should provision storage with mount options`,
  `${dynamic} subPath should be able to unmount after the subpath directory is deleted [LinuxOnly]`,
  `${dynamic} subPath should fail if subpath directory is outside the volume [Slow] [LinuxOnly]`,
  `${dynamic} subPath should support creating multiple subpath from same volumes [Slow]`,
  `${dynamic} subPath should support existing directory`,
  `${dynamic} subPath should support existing single file [LinuxOnly]`,
  `${dynamic} subPath should support file as subpath [LinuxOnly]`,
  `${dynamic} subPath should support readOnly file specified in the volumeMount [LinuxOnly]`,
  `${dynamic} volumeIO should write files of various sizes, verify size, validate content [Slow]`,
  `${dynamic} volumes should allow exec of files on the volume`,
  `${dynamic} volumes should store data`,
  `${filesystem} multiVolume [Slow] should access to two volumes with the same volume mode and retain data across pod recreation on different node`,
  `${filesystem} multiVolume [Slow] should concurrently access the single volume from pods on the same node`,
  `${ephemeral} should support two pods which have the same volume definition`,
]);

/** Tests that are never run, and why. */
const unsuited: readonly (readonly [name: RegExp, reason: string])[] = [
  [/should provision storage with any volume data source/, 'it wants images of a volume populator, and what that one fills is files that it creates'],
];

/** Whether a test tells anything about this driver. */
export function isSuited(name: string): boolean {
  return !unsuited.some(([pattern]) => pattern.test(name));
}

/** Whether a test belongs to the run that is short enough for every change. */
export function isInShortRun(name: string): boolean {
  return mustPass(name) || refusedSamples.has(shortName(name));
}

/** Whether a test has no excuse. */
export function mustPass(name: string): boolean {
  return passing.has(shortName(name));
}

/** The tests of the short run that the suite does not have: it has changed. */
export function unknownNames(names: readonly string[]): string[] {
  const known = new Set(names.map(shortName));
  return [...passing, ...refusedSamples].filter((name) => !known.has(name));
}

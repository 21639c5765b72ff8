/**
 * The programs of the cluster, built from the versions that go.mod and go.sum pin: Kubernetes, etcd,
 * the CSI sidecars and the tools around them. A finished program is a file in the cache.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { findProgram } from '../harness/prerequisites.ts';
import { clusterCache, contentsOf, keyOf, sources, withScratch } from './cache.ts';
import { run, step } from './run.ts';

/** Go package of each program. */
const packages = {
  kubernetes: './kubernetes',
  etcd: 'go.etcd.io/etcd/server/v3',
  helm: 'helm.sh/helm/v3/cmd/helm',
  'csi-provisioner': 'github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner',
  'csi-attacher': 'github.com/kubernetes-csi/external-attacher/v4/cmd/csi-attacher',
  'csi-sanity': 'github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity',
  crictl: 'sigs.k8s.io/cri-tools/cmd/crictl',
  kind: 'sigs.k8s.io/kind',
  pause: './pause',
  agnhost: 'k8s.io/kubernetes/test/images/agnhost',
} as const;

const kubernetesNames = [
  'kubeadm', 'kubelet', 'kubectl', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy',
] as const;

/** A name that the one binary of Kubernetes answers to. */
export type KubernetesName = (typeof kubernetesNames)[number];

/** Built by its own function: it costs minutes and only one test wants it. */
const suite = 'e2e.test';

type Built = keyof typeof packages;

/** A program that can be asked for. */
export type ProgramName = Built | KubernetesName;

/** What a cluster and its tests need: all but the image of Kubernetes' own suite. */
const usual = (Object.keys(packages) as Built[]).filter((name) => name !== 'agnhost');

/** The version of a module that go.mod pins, with its leading v. */
export function pinned(module: string): string {
  const file = readFileSync(join(sources, 'go.mod'), 'utf8');
  const version = new RegExp(`\\s${module.replaceAll('.', '\\.')} (v\\S+)`).exec(file)?.[1];
  if (version === undefined) throw new Error(`test/cluster/go.mod requires no ${module}`);
  return version;
}

/** The version of Kubernetes in the cluster. */
export const kubernetesVersion = pinned('k8s.io/kubernetes');

/** What is missing where `goVersion` knows none. */
export const goMissing = `Go ${/^go (\S+)$/m.exec(contentsOf('go.mod'))?.[1]} or newer is not installed`;

/** Directory of the programs, finished or not; undefined where there is no Go. */
export function programDirectory(): string | undefined {
  return known ??= tellDirectory();
}

let known: string | undefined;

function tellDirectory(): string | undefined {
  const version = goVersion();
  if (version === undefined) return undefined;
  const texts = ['go.mod', 'go.sum', 'kubernetes', 'pause', 'e2e'].map((name) => contentsOf(name));
  return join(clusterCache, keyOf(version, linkerFlags(), ...texts));
}

/** The version of Go that builds the programs; undefined where there is none, or one too old for go.mod. */
export function goVersion(): string | undefined {
  const go = findProgram('go');
  if (go === undefined) return undefined;
  const answer = spawnSync(go, ['env', 'GOVERSION'], { cwd: sources, encoding: 'utf8' });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/** The path of a finished program, or undefined. */
export function findClusterProgram(name: ProgramName | typeof suite): string | undefined {
  const path = join(programDirectory() ?? '/nonexistent', name);
  return existsSync(path) ? path : undefined;
}

/** Whether all that a cluster and its tests need has been built. */
export function areProgramsBuilt(): boolean {
  return [...usual, ...kubernetesNames].every((name) => findClusterProgram(name) !== undefined);
}

/** Whether Kubernetes' own tests of CSI drivers have been built, with the program that they run in pods. */
export function isSuiteBuilt(): boolean {
  return ([suite, 'agnhost'] as const).every((name) => findClusterProgram(name) !== undefined);
}

/** Builds what is missing and gives the programs' directory. */
export async function ensurePrograms(names: readonly ProgramName[] = usual): Promise<string> {
  const directory = goDirectory();
  const wanted = new Set(names.map((name) => (name in packages ? name as Built : 'kubernetes')));
  const missing = [...wanted].filter((name) => !existsSync(join(directory, name)));
  if (missing.length > 0) await step(`build ${missing.join(', ')}`, () => build(missing, directory));
  return directory;
}

/** Builds Kubernetes' own tests of CSI drivers and gives the program's path. */
export async function ensureStorageSuite(): Promise<string> {
  const program = join(goDirectory(), suite);
  if (existsSync(program)) return program;
  await step(`build ${suite}`, () => withScratch(async (scratch) => {
    const built = join(scratch, suite);
    await go(['test', '-c', ...buildFlags(), '-o', built, './e2e']);
    renameSync(built, program);
  }));
  return program;
}

async function build(names: readonly Built[], directory: string): Promise<void> {
  await withScratch(async (scratch) => {
    await go(['build', ...buildFlags(), '-o', `${scratch}/`, ...names.map((name) => packages[name])]);
    for (const name of names) renameSync(join(scratch, builtName(packages[name])), join(directory, name));
  });
  if (names.includes('kubernetes')) for (const name of kubernetesNames) link(join(directory, name));
}

function link(path: string): void {
  if (!existsSync(path)) symlinkSync('kubernetes', path);
}

/** Go names a program after its package's last part that is no major version. */
function builtName(goPackage: string): string {
  const name = basename(goPackage);
  return /^v\d+$/.test(name) ? basename(dirname(goPackage)) : name;
}

function goDirectory(): string {
  const directory = programDirectory();
  if (directory === undefined) throw new Error(`the programs of the cluster cannot be built: ${goMissing}`);
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** Longer than any one download or step of a linker is without a sign of life. */
const standstillMs = 10 * 60_000;

/** Compiles; how long that takes depends on what else the machine does, so that only a standstill ends it. */
async function go([command, ...args]: readonly string[]): Promise<void> {
  const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' };
  await run(findProgram('go')!, [command, '-v', ...args], { cwd: sources, env, idleMs: standstillMs });
}

function buildFlags(): string[] {
  return ['-trimpath', '-ldflags', linkerFlags()];
}

/**
 * What the makers' own builds set: programs of Kubernetes compare their versions with each other's, and
 * helm renders for the version of Kubernetes it was built with.
 */
function linkerFlags(): string {
  const [major, minor] = kubernetesVersion.slice(1).split('.');
  const kubernetes = {
    gitVersion: kubernetesVersion,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: '0'.repeat(40),
    buildDate: '2026-01-01T00:00:00Z',
  };
  const supported = { k8sVersionMajor: major, k8sVersionMinor: minor };
  const variables: Record<string, Record<string, string>> = {
    'k8s.io/component-base/version': kubernetes,
    'k8s.io/client-go/pkg/version': kubernetes,
    'helm.sh/helm/v3/internal/version': { version: pinned('helm.sh/helm/v3') },
    'helm.sh/helm/v3/pkg/chartutil': supported,
    'helm.sh/helm/v3/pkg/lint/rules': supported,
  };
  const settings = Object.entries(variables).flatMap(([goPackage, values]) =>
    Object.entries(values).map(([name, value]) => `-X ${goPackage}.${name}=${value}`));
  return ['-s', '-w', ...settings].join(' ');
}

/** The cluster of a test run: made where it is missing, filled with images, and its two pools. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, createCluster, defaultSimDirectory, deleteCluster, exportLogs, loadImages } from '../../cluster/cluster.ts';
import { ensureHost, releaseHost } from '../../cluster/host.ts';
import { connectNodes } from '../../cluster/pod-network.ts';
import { ensurePrograms } from '../../cluster/programs.ts';
import { ensureDriverBase } from '../../cluster/rootfs.ts';
import { cache, program, root } from '../../harness/paths.ts';
import { environment, get, kubectl, list, run } from './kubectl.ts';
import { untilSo } from '../../support/until.ts';

/** The pool that the chart formats. */
const emptyPool = join(defaultSimDirectory, 'p0');

/** The pool that the command line formats and fills before the driver is installed. */
export const filledPool = {
  file: join(defaultSimDirectory, 'p1'),
  directory: 'models/small',
  fileName: 'weights',
  text: 'made by the command line',
} as const;

const POOL_BYTES = 4 * 2 ** 30;

/** The cluster as tests see it. */
export interface TestCluster {
  readonly workers: readonly [string, string];
  /** Files of this host which the nodes see as /dev/sim/... */
  readonly pools: readonly string[];
}

let present: Cluster | undefined;
let image = '';

/** The image built from the working tree, named after its content. */
export const driverImage = (): string => image;

/** The same under another name: what an upgrade goes to. */
export const nextImage = (): string => `${image}-next`;

/** The cluster that `startCluster` made. */
export function cluster(): TestCluster {
  const { workers } = theCluster();
  return { workers: [workers[0], workers[1]], pools: [emptyPool, filledPool.file] };
}

/** Creates what is missing: programs, images, Docker, cluster, pools. */
export async function startCluster({ install, stock }: { install: boolean; stock: boolean }): Promise<void> {
  await ensureHost({ install, stock });
  environment.programs = await ensurePrograms();
  present = await createCluster({ name: 'famfs', simDirectory: defaultSimDirectory, stock });
  environment.kubeconfig = present.kubeconfig;
  image = buildImage(stock ? [] : ['--base', await ensureDriverBase()]);
  await loadImages(present, [driverImage(), nextImage()]);
  for (const worker of present.workers) await kubectl(['label', 'node', worker, 'famfs.io/memory=true', '--overwrite']);
  if (!existsSync(filledPool.file)) await makePools();
}

/** Builds the image, under both names, and answers the first. */
function buildImage(base: readonly string[]): string {
  must('npm', ['run', '--silent', 'image', '--', ...base, '--tag', 'famfs-csi:e2e']);
  const id = must('docker', ['image', 'inspect', '--format', '{{.Id}}', 'famfs-csi:e2e']).replace('sha256:', '').slice(0, 12);
  const name = `famfs-csi:${id}`;
  for (const tag of [name, `${name}-next`]) must('docker', ['tag', 'famfs-csi:e2e', tag]);
  return name;
}

/** Deletes all that `startCluster` made, but for what is cached. */
export async function stopCluster(): Promise<void> {
  if (present !== undefined) await deleteCluster(present.name);
  await releaseHost();
}

/** Writes the logs of all nodes and pods into the cache, under this name; answers where. */
export async function saveLogs(name: string): Promise<string> {
  const directory = join(cache, 'logs', name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await exportLogs(theCluster(), directory);
  return directory;
}

/** Runs a command on a node; throws when it fails. */
export async function nodeCommandOn(node: string, command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('docker', ['exec', node, ...command]);
  if (code !== 0) throw new Error(`${command.join(' ')} on ${node}: ${stderr || stdout}`);
  return stdout;
}

/** Switches a node off. */
export async function stopNode(node: string): Promise<void> {
  await mustRun('docker', ['stop', '--time', '0', node]);
}

/** Switches a node on again, and waits until it takes pods. */
export async function startNode(node: string): Promise<void> {
  await mustRun('docker', ['start', node]);
  await untilSo(`${node} is up`, async () =>
    /running|degraded/.test((await run('docker', ['exec', node, 'systemctl', 'is-system-running'])).stdout));
  await connectNodes(theCluster());
  // What the node's status says may be from before it was stopped; its lease is renewed only by a living kubelet.
  const before = await renewTime(node);
  await untilSo(`${node} is ready`, async () => {
    const found = (await list('nodes')).find(({ metadata }) => metadata.name === node);
    return await renewTime(node) !== before && found?.status.conditions.some(({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True');
  });
  await kubectl(['taint', 'node', node, 'node.kubernetes.io/out-of-service-']).catch(() => {});
}

async function renewTime(node: string): Promise<string> {
  return (await get('lease', node, 'kube-node-lease')).spec.renewTime;
}

/** A new simulated device, all zero, of this name in the nodes' /dev/sim. */
export function makeDevice(name: string): string {
  const file = join(defaultSimDirectory, name);
  writeFileSync(file, '');
  truncateSync(file, POOL_BYTES);
  return file;
}

/** The second pool is the command line's work; the first one a file of zeros. */
async function makePools(): Promise<void> {
  const uid = (await list('namespaces')).find(({ metadata }) => metadata.name === 'kube-system')!.metadata.uid!;
  const work = join(defaultSimDirectory, 'text');
  makeDevice('p0');
  writeFileSync(work, filledPool.text);
  const options = ['--cluster', uid, '--state-dir', join(defaultSimDirectory, 'state'), '--host-dir', join(defaultSimDirectory, 'host')];
  const { file, directory, fileName } = filledPool;
  must(program, ['mkfs', file, '--simulate', String(POOL_BYTES), '--force', ...options]);
  must(program, ['mkdir', '-p', file, directory, ...options]);
  must(program, ['cp', work, `${file}:${directory}/${fileName}`, ...options]);
}

function theCluster(): Cluster {
  if (present === undefined) throw new Error('there is no cluster yet');
  return present;
}

function must(command: string, args: readonly string[]): string {
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' }; // npm would leave one behind
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr || stdout || String(error)}`);
  return stdout.trim();
}

async function mustRun(command: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

/**
 * A kind cluster for the end-to-end tests: one control plane and two workers, on nodes that all see
 * one directory of the host's memory as /dev/sim.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterCache, withScratch } from './cache.ts';
import { docker } from './docker.ts';
import { clusterConfig } from './kind-config.ts';
import { ensureNodeImage } from './node-image.ts';
import { connectNodes } from './pod-network.ts';
import { ensurePrograms, findClusterProgram } from './programs.ts';
import { run, step } from './run.ts';

/** What a cluster is made with. */
export interface ClusterOptions {
  name: string;
  /** Directory of the host that every node sees as /dev/sim; made where it is missing, on tmpfs. */
  simDirectory: string;
  /** Uses kind's own node image, pulled from its registry, instead of ours. */
  stock?: boolean;
}

/** A cluster that runs. */
export interface Cluster extends ClusterOptions {
  kubeconfig: string;
  /** Names of the nodes: as containers in Docker and as nodes in Kubernetes. */
  controlPlane: string;
  workers: string[];
}

/** The directory that the tests share with the nodes unless they say another one. */
export const defaultSimDirectory = '/dev/shm/famfs-e2e';

/** Where the nodes see the shared directory. */
export { simMount } from './kind-config.ts';

/** Creates the cluster, or gives the one of that name that runs already. */
export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  await ensurePrograms();
  const cluster = describe(options);
  if ((await kind('get', 'clusters')).split('\n').includes(options.name)) {
    if (existsSync(cluster.kubeconfig)) return cluster;
    throw new Error(`a cluster named '${options.name}' exists that was not created here: delete it or choose another name`);
  }
  const image = options.stock ? undefined : await ensureNodeImage();
  mkdirSync(options.simDirectory, { recursive: true });
  await step(`create cluster ${options.name}`, () => create(cluster, image));
  if (!options.stock) await step('connect the nodes', () => connectNodes(cluster));
  await step('wait for the nodes', () => waitForNodes(cluster));
  return cluster;
}

/** The cluster of that name that was created here. */
export function openCluster(name: string): Cluster {
  const cluster = recorded(name);
  if (cluster === undefined) throw new Error(`no cluster named '${name}' was created here`);
  return cluster;
}

/** Deletes the cluster and its shared directory; nothing happens when there is none. */
export async function deleteCluster(name: string): Promise<void> {
  const cluster = recorded(name);
  if (cluster === undefined) return;
  await step(`delete cluster ${name}`, () => kind('delete', 'cluster', '--name', name));
  rmSync(cluster.simDirectory, { recursive: true, force: true });
  rmSync(directoryOf(name), { recursive: true });
}

/** Makes images that Docker has known to all nodes. */
export async function loadImages(cluster: Cluster, images: readonly string[]): Promise<void> {
  await step(`load ${images.join(', ')}`, () => withScratch(async (scratch) => {
    const archive = join(scratch, 'images.tar');
    await docker('save', '--output', archive, ...images);
    await kind('load', 'image-archive', archive, '--name', cluster.name);
  }));
}

/** Writes the logs of all nodes and pods below a directory. */
export async function exportLogs(cluster: Cluster, directory: string): Promise<void> {
  await kind('export', 'logs', directory, '--name', cluster.name);
}

/** Runs kubectl on the cluster and gives its output. */
export async function kubectl(cluster: Cluster, args: readonly string[], input?: string): Promise<string> {
  const program = findClusterProgram('kubectl')!;
  return await run(program, ['--kubeconfig', cluster.kubeconfig, ...args], input === undefined ? {} : { input });
}

async function create(cluster: Cluster, image: string | undefined): Promise<void> {
  mkdirSync(directoryOf(cluster.name), { recursive: true });
  writeFileSync(recordOf(cluster.name), JSON.stringify(cluster));
  const config = join(directoryOf(cluster.name), 'kind.json');
  writeFileSync(config, JSON.stringify(clusterConfig(cluster)));
  const ours = image === undefined ? [] : ['--image', image];
  await kind('create', 'cluster', '--name', cluster.name, '--config', config, '--kubeconfig', cluster.kubeconfig, ...ours);
}

async function waitForNodes(cluster: Cluster): Promise<void> {
  await kubectl(cluster, ['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=120s']);
}

async function kind(...args: string[]): Promise<string> {
  return await run(findClusterProgram('kind')!, args);
}

function describe(options: ClusterOptions): Cluster {
  return {
    ...options,
    kubeconfig: join(directoryOf(options.name), 'kubeconfig'),
    controlPlane: `${options.name}-control-plane`,
    workers: [`${options.name}-worker`, `${options.name}-worker2`],
  };
}

function recorded(name: string): Cluster | undefined {
  const record = recordOf(name);
  return existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) as Cluster : undefined;
}

function recordOf(name: string): string {
  return join(directoryOf(name), 'cluster.json');
}

function directoryOf(name: string): string {
  return join(clusterCache, 'clusters', name);
}

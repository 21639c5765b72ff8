/** What must not be left after a test: volumes, volumes' objects, attach records, mounts, damage. */
import { program } from '../../harness/paths.ts';
import { list, run } from './kubectl.ts';
import { Names } from './objects.ts';
import { untilSo } from '../../support/until.ts';

/** The pools and nodes to look at. */
export interface Scene {
  /** Pools as files of this host, which are the nodes' shared memory. */
  pools: readonly string[];
  /** Names of the worker nodes, which are containers. */
  workers: readonly string[];
  /** Namespace of the release. */
  namespace: string;
}

/** Waits until nothing is left; throws naming what is. */
export async function expectNoLeaks(scene: Scene): Promise<void> {
  let left: string[] = [];
  await untilSo('nothing is left behind', async () => {
    left = await leaks(scene);
    return left.length === 0;
  }, { limitMs: 120_000, describe: async () => left.join('\n') });
}

async function leaks({ pools, workers, namespace }: Scene): Promise<string[]> {
  const found: string[] = [];
  const volumes = await list('pv');
  const ours = volumes.filter(({ spec }) => spec.csi?.driver === Names.driver);
  const handles = new Set<string>(ours.map(({ spec }) => spec.csi.volumeHandle));
  const inLog = (await Promise.all(pools.map(volumesInLog))).flat();
  found.push(...inLog.filter((handle) => !handles.has(handle)).map((handle) => `in the log without a PersistentVolume: ${handle}`));
  found.push(...ours.filter(({ spec }) => !inLog.includes(spec.csi.volumeHandle))
    .map(({ metadata, spec }) => `PersistentVolume ${metadata.name} without a volume ${spec.csi.volumeHandle}`));
  found.push(...ours.map(({ metadata, status }) => `PersistentVolume ${metadata.name} is still there (${status.phase})`));

  for (const pool of pools) {
    const { code, stdout, stderr } = await run(program, ['fsck', pool]);
    if (code !== 0) found.push(`fsck ${pool}: ${code} ${stdout}${stderr}`);
    const { quarantinedBytes } = await usageOf(pool);
    if (quarantinedBytes > 0) found.push(`${quarantinedBytes} bytes of ${pool} are in quarantine`);
  }
  const records = await list('leases', namespace, '-l', `famfs.io/driver=${Names.driver},famfs.io/kind=attachment`);
  found.push(...records.map(({ metadata }) => `attach record ${metadata.name} ${metadata.annotations?.['famfs.io/record']}`));
  const attachments = await list('volumeattachments');
  found.push(...attachments.filter(({ spec }) => spec.attacher === Names.driver)
    .map(({ metadata, spec }) => `VolumeAttachment ${metadata.name} of ${spec.source.persistentVolumeName} on ${spec.nodeName}`));
  found.push(...(await Promise.all(workers.map(strayMounts))).flat());
  return found;
}

/** Handles of the volumes of a pool. */
export async function volumesInLog(pool: string): Promise<string[]> {
  const uuid = await poolUuid(pool);
  const { stdout, stderr, code } = await run(program, ['ls', pool, '--json']);
  if (code !== 0) throw new Error(`ls ${pool}: ${stderr}`);
  const nodes = JSON.parse(stdout) as { path: string; kind: string; record?: unknown }[];
  return nodes.filter(({ kind, record }) => kind === 'directory' && record !== undefined).map(({ path }) => `${uuid}/${path}`);
}

/** File system UUID of a pool. */
export async function poolUuid(pool: string): Promise<string> {
  return (await usageOf(pool)).uuid;
}

async function usageOf(pool: string): Promise<{ uuid: string; quarantinedBytes: number }> {
  const { stdout, stderr, code } = await run(program, ['df', pool, '--json']);
  if (code !== 0) throw new Error(`df ${pool}: ${stderr}`);
  return JSON.parse(stdout) as { uuid: string; quarantinedBytes: number };
}

/** Mounts of volumes on a node; the sessions themselves are meant to stay. */
async function strayMounts(node: string): Promise<string[]> {
  const { stdout, code, stderr } = await run('docker', ['exec', node, 'cat', '/proc/1/mountinfo']);
  if (code !== 0) throw new Error(`mounts of ${node}: ${stderr}`);
  return stdout.split('\n')
    .filter((line) => line.includes(' - fuse.famfs ') || line.includes(`/plugins/kubernetes.io/csi/${Names.driver}/`))
    .map((line) => line.split(' ')[4])
    .filter((path) => !/\/mounts\/[0-9a-f-]{36}$/.test(path))
    .map((path) => `mount on ${node}: ${path}`);
}

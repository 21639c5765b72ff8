import fs from 'node:fs';
import type { V1PersistentVolume } from '@kubernetes/client-node';
import { Command } from 'commander';
import { findOrphans, type Orphan } from '../controller/layout/orphans.ts';
import { readPoolsFile } from '../csi/pool-config.ts';
import { poolTopology } from '../csi/topology.ts';
import { parseVolumeId } from '../csi/volume-id.ts';
import { messageOf } from '../famfs/errors.ts';
import { sourceOf } from '../famfs/pool/pool-source.ts';
import { Pool } from '../famfs/pool/pool.ts';
import { printJson, printTable } from './output.ts';
import { placeOptions } from './place-options.ts';
import { formatSize } from './sizes.ts';

interface OrphansOptions {
  readonly poolsFile: string;
  readonly persistentVolumes?: string;
  readonly manifest?: string;
  readonly driverName: string;
  readonly json?: true;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** `famfs-csi orphans [DEVICE...]` */
export function orphansCommand(): Command {
  return new Command('orphans')
    .argument('[device...]', 'the pools; default: those of the pools file')
    .option('--pools-file <file>', 'JSON file that names the pools', '/etc/famfs-csi/pools.json')
    .option('--persistent-volumes <file>', 'output of "kubectl get pv -o json", instead of asking the API server; - for standard input')
    .option('--manifest <handle>', 'print a PersistentVolume and a claim that bring this volume back, for "kubectl apply"')
    .addOption(placeOptions.driverName())
    .option('--json', 'print JSON')
    .action(run);
}

async function run(devices: readonly string[], options: OrphansOptions): Promise<void> {
  const { poolsFile, manifest, driverName: driver, json } = options;
  const handles = await readHandles(options); // before the pools: what is made meanwhile is young
  const orphans: Orphan[] = [];
  const from = devices.length > 0 ? devices : readPoolsFile(poolsFile).map(({ device }) => device);
  for (const device of from) {
    const pool = Pool.open(sourceOf(device), { writable: false });
    try {
      orphans.push(...await findOrphans(pool, handles));
    } finally {
      pool.close();
    }
  }
  if (manifest !== undefined) {
    const found = orphans.find(({ handle }) => handle === manifest);
    if (found === undefined) throw new Error(`${JSON.stringify(manifest)} is no volume without a PersistentVolume: without --manifest they are named`);
    return printJson(manifestOf(found, driver));
  }
  if (json) return printJson(orphans);
  if (orphans.length === 0) return console.log('every volume has a PersistentVolume');
  printTable(['SIZE', 'AGE', 'NAME', 'HANDLE'], orphans.map(({ handle, name, bytes, ageMs }) => [formatSize(bytes), formatAge(ageMs), printable(name), handle]));
  console.log('To bring one back, or to delete it: --manifest HANDLE, and docs/troubleshooting.md.');
}

async function readHandles({ persistentVolumes: file, driverName: driver }: OrphansOptions): Promise<string[]> {
  const { handlesOf, KubernetesPersistentVolumes } = await import('../kube/persistent-volumes.ts');
  if (file !== undefined) return handlesOf(readVolumes(file), driver);
  const { KubeApi } = await import('../kube/client.ts');
  return new KubernetesPersistentVolumes(KubeApi.connect(), driver).handles();
}

/** Throws unless the file is a list of the API, as a whole: what is cut short would make orphans of volumes in use. */
function readVolumes(file: string): V1PersistentVolume[] {
  const name = file === '-' ? 'standard input' : file;
  let list: { kind?: unknown; items?: unknown } | null;
  try {
    list = JSON.parse(fs.readFileSync(file === '-' ? 0 : file, 'utf8')) as typeof list;
  } catch (error) {
    throw new Error(`${name} cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
  const isList = Array.isArray(list?.items) && list.items.every((item: V1PersistentVolume | null) => item?.kind === 'PersistentVolume');
  if (!isList) throw new Error(`${name} is no list of PersistentVolumes: give it the output of "kubectl get pv -o json"`);
  return list!.items as V1PersistentVolume[];
}

/** Objects that bring a volume back. It is kept when the claim goes, until somebody changes that. */
function manifestOf({ handle, bytes }: Orphan, driver: string): object {
  const { pool, directory: name } = parseVolumeId(handle)!;
  const common = { accessModes: ['ReadWriteMany'], storageClassName: '' };
  const [[key, value]] = Object.entries(poolTopology(driver, [pool]).segments);
  return {
    apiVersion: 'v1', kind: 'List', items: [
      {
        apiVersion: 'v1', kind: 'PersistentVolume',
        metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': driver } }, // or the provisioner would never delete it
        spec: {
          ...common, capacity: { storage: String(bytes) }, persistentVolumeReclaimPolicy: 'Retain', csi: { driver, volumeHandle: handle },
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: [value] }] }] } },
        },
      },
      {
        apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name },
        spec: { ...common, volumeName: name, resources: { requests: { storage: String(bytes) } } },
      },
    ],
  };
}

/** A record's name is anybody's who writes to the memory: it must not steer a terminal. */
function printable(name: string): string {
  return JSON.stringify(name).slice(1, -1);
}

function formatAge(ageMs: number | undefined): string {
  if (ageMs === undefined) return 'unknown';
  return ageMs >= 2 * DAY_MS ? `${Math.floor(ageMs / DAY_MS)}d` : `${Math.floor(ageMs / HOUR_MS)}h${Math.floor(ageMs / 60_000) % 60}m`;
}

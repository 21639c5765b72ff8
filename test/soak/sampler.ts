import { statSync } from 'node:fs';
import type { Pool, PoolUsage } from '../../src/famfs/pool/pool.ts';
import type { ControllerProcess } from '../faults/controller-process.ts';
import type { HostProcesses } from '../faults/host-processes.ts';
import { type HostFiles, hostFiles, overridesIn } from './host-files.ts';
import { type Held, heldBy } from './processes.ts';
import type { Waiting } from './waiting.ts';

export const PROCESSES = ['controller', 'node plugin', 'data plane', 'supervisor', 'child'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/** All that is looked at, at one moment. */
export interface Sample {
  /** Milliseconds since the beginning. */
  readonly at: number;
  /** Which calm it is of, from 0; undefined in a storm. */
  readonly calm: number | undefined;
  /** Without a child while one follows another. */
  readonly held: ReadonlyMap<ProcessName, Held>;
  readonly files: HostFiles;
  /** Slots of the override table. */
  readonly overrides: number;
  readonly usage: PoolUsage;
  /** Requests that the kernel waits for; undefined where it does not tell. */
  readonly waiting: number | undefined;
  /** Requests that the session has answered. */
  readonly operations: number;
  /** Serving processes that were replaced. */
  readonly restarts: number;
  /** Bytes of the simulated device that are backed by memory. */
  readonly backed: number;
}

export interface Sampled {
  readonly host: HostProcesses;
  readonly controller: ControllerProcess;
  readonly pool: Pool;
  readonly device: string;
  readonly waiting: Waiting;
}

/** Looks at all the processes of a host and its controller, at the host's files, the pool, and the kernel. */
export async function takeSample({ host, controller, pool, device, waiting }: Sampled, at: number, calm: number | undefined): Promise<Sample> {
  const { plane, supervisor } = host.processes;
  const serving = host.serving;
  const pids: Record<ProcessName, number | undefined> = {
    'controller': controller.pid, 'node plugin': host.nodePlugin, 'data plane': plane, 'supervisor': supervisor,
    'child': serving.length === 1 ? serving[0] : undefined,
  };
  const held = new Map<ProcessName, Held>();
  for (const name of PROCESSES) {
    const found = pids[name] === undefined ? undefined : heldBy(pids[name]);
    if (found !== undefined) held.set(name, found);
  }
  pool.refresh();
  return {
    at, calm, held, files: hostFiles(host.directory), overrides: overridesIn(host.directory), usage: pool.usage(), waiting: waiting.now(),
    operations: await host.total('famfs_fuse_operations_total'), restarts: await host.total('famfs_session_restarts_total'),
    backed: statSync(device).blocks * 512,
  };
}

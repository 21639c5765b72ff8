import assert from 'node:assert/strict';
import { chmod, mkdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostProcesses } from '../faults/host-processes.ts';
import type { LedgerVolume } from '../faults/ledger.ts';
import { attach, type ControllerClient, detach, publish, stage, unpublish, unstage } from '../support/csi-requests.ts';
import type { Stalls } from './stalls.ts';

const MODE = 0o100640;

/** Who calls, and where. */
export interface Place {
  readonly host: HostProcesses;
  readonly client: ControllerClient;
  readonly repeat: Stalls['repeat'];
}

/** What a pod's life does to a volume: it is attached, staged, published, used there, and all of that undone. */
export async function liveThrough({ host, client, repeat }: Place, { id, name, size }: LedgerVolume): Promise<void> {
  const [staging, target] = ['staging', 'target'].map((kind) => join(host.directory, `${kind}-${name}`));
  await mkdir(staging);
  const context = await repeat(() => attach(client, id, host.name));
  await repeat(() => stage(host.node, id, staging));
  await repeat(() => publish(host.node, id, staging, target, { context }));
  const data = host.reach(join(target, 'data'));
  await chmod(data, MODE);
  const found = await stat(data);
  assert.deepEqual([found.size, found.mode], [size, MODE], name);
  await repeat(() => unpublish(host.node, id, target));
  await repeat(() => unstage(host.node, id, staging));
  await repeat(() => detach(client, id, host.name));
  await rmdir(staging);
}

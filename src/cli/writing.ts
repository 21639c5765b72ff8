import { randomBytes } from 'node:crypto';
import os from 'node:os';
import type { Command } from 'commander';
import { FamfsError } from '../famfs/errors.ts';
import { sourceOf } from '../famfs/pool/pool-source.ts';
import { Pool } from '../famfs/pool/pool.ts';
import { PoolWriter, type WriterIdentity } from '../famfs/writer/writer.ts';
import { clusterUuid } from '../state/directory.ts';
import { parseNodeId } from './node-id.ts';

/** Options of every command that writes to a pool. */
export interface WritingOptions {
  readonly stateDir: string;
  readonly hostDir: string;
  readonly cluster?: string;
  readonly nodeId?: string;
  readonly assumeStopped?: true;
}

export function withWritingOptions(command: Command): Command {
  return command
    .option('--state-dir <dir>', 'where the UUID of this cluster is kept', '/var/lib/famfs-csi')
    .option('--host-dir <dir>', 'local to this host, empty after a reboot', '/run/famfs-csi')
    .option('--cluster <uuid>', 'the cluster that owns the pool, instead of the one in the state directory')
    .option('--node-id <id>', 'unique among hosts; lets this host take over after its own reboot without guards', parseNodeId)
    .option('--assume-stopped', 'my word that no other host writes to this pool, whatever its claim says');
}

/**
 * Who the command line is to other writers. A host name may be that of other hosts too, clones for
 * one, and two holders of one host with different boot ids would prove a reboot: so without a node
 * id every command is a host of its own.
 */
export async function commandIdentity(options: WritingOptions): Promise<WriterIdentity> {
  return {
    clusterUuid: options.cluster ?? await clusterUuid(options.stateDir),
    hostId: options.nodeId ?? `cli-${randomBytes(8).toString('hex')}-${os.hostname()}`,
    hostDirectory: options.hostDir,
  };
}

/** Opens a pool, takes its claim, does the work, and gives the claim back. */
export async function withWriter<T>(device: string, options: WritingOptions, work: (writer: PoolWriter) => T | Promise<T>): Promise<T> {
  const identity = await commandIdentity(options);
  const pool = Pool.open(sourceOf(device));
  try {
    const writer = await acquire(pool, identity, options);
    try {
      return await work(writer);
    } finally {
      writer.close();
    }
  } finally {
    pool.close();
  }
}

/** Takes the claim; a refusal names the option by which the operator can say what it asks for. */
async function acquire(pool: Pool, identity: WriterIdentity, options: WritingOptions): Promise<PoolWriter> {
  try {
    return await PoolWriter.acquire(pool, { identity, assumeStopped: options.assumeStopped ?? false });
  } catch (error) {
    if (!(error instanceof FamfsError) || error.code !== 'CLAIMED') throw error;
    const message = error.message.replace(/say that (it is|they are) stopped/, '$& with --assume-stopped');
    throw new FamfsError('CLAIMED', message, { cause: error });
  }
}

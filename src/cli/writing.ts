import { randomBytes } from 'node:crypto';
import os from 'node:os';
import type { Command } from 'commander';
import { FamfsError } from '../famfs/errors.ts';
import { sourceOf } from '../famfs/pool/pool-source.ts';
import { Pool } from '../famfs/pool/pool.ts';
import { PoolWriter, type WriterIdentity } from '../famfs/writer/writer.ts';
import { commandCluster } from './command-cluster.ts';
import { placeOptions, preferGivenStateDir } from './place-options.ts';

/** Options of every command that writes to a pool. */
export interface WritingOptions {
  /** A namespace of the Kubernetes that is the cluster; without it, stateDir tells the cluster. */
  readonly kubernetes?: string;
  readonly stateDir: string;
  readonly hostDir: string;
  readonly cluster?: string;
  readonly nodeId?: string;
  readonly assumeStopped?: true;
}

export function withWritingOptions(command: Command): Command {
  return preferGivenStateDir(command)
    .option('--cluster <uuid>', 'the cluster that owns the pool (default: that of Kubernetes or of the state directory)')
    .addOption(placeOptions.kubernetes('the cluster is the Kubernetes that has this namespace'))
    .addOption(placeOptions.stateDir('where the UUID of a cluster without Kubernetes is kept'))
    .addOption(placeOptions.hostDir())
    .addOption(placeOptions.nodeId('unique among hosts; lets this host take over after its own reboot without guards'))
    .option('--assume-stopped', 'my word that no other host writes to this pool, whatever its claim says');
}

/**
 * Who the command line is to other writers. A host name may be that of other hosts too, clones for
 * one, and two holders of one host with different boot ids would prove a reboot: so without a node
 * id every command is a host of its own.
 */
export async function commandIdentity(options: WritingOptions): Promise<WriterIdentity> {
  return {
    clusterUuid: options.cluster ?? await commandCluster(options),
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

import fs from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { mountPool, type Session } from '../famfs/fuse/session/session.ts';
import { openHostDirectory } from '../famfs/private-folder.ts';
import { placeOptions } from './place-options.ts';

interface MountCommandOptions {
  readonly readOnly?: true;
  readonly foreground?: true;
  readonly hostDir: string;
}

/** `famfs-csi mount DEVICE DIR` */
export function mountCommand(): Command {
  return new Command('mount')
    .argument('<device>', 'the pool: a /dev/dax device or a simulated one')
    .argument('<dir>', 'where to mount it')
    .option('--read-only', 'refuse every change')
    .option('--foreground', 'stay until the pool is unmounted; interrupt to unmount it')
    .addOption(placeOptions.hostDir())
    .action(mount);
}

async function mount(device: string, directory: string, options: MountCommandOptions): Promise<void> {
  const hostDirectory = path.resolve(options.hostDir);
  const readOnly = options.readOnly ?? false;
  openHostDirectory(hostDirectory);
  if (options.foreground) return inForeground(device, directory, hostDirectory, readOnly);
  const output = openLog(hostDirectory);
  const session = await mountPool({ device, directory, hostDirectory, readOnly, output });
  for (const line of [...session.record.limitations, ...session.problems]) console.error(`famfs-csi: ${line}`);
  session.detach();
}

async function inForeground(device: string, directory: string, hostDirectory: string, readOnly: boolean): Promise<void> {
  const stop = new AbortController();
  let session: Session | undefined = undefined;
  // A second interrupt is a second attempt, after whoever used the mount has gone.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (session === undefined) stop.abort(new Error('interrupted'));
      else process.kill(session.pid, 'SIGTERM');
    });
  }
  session = await mountPool({ device, directory, hostDirectory, readOnly, signal: stop.signal });
  const { failure } = await session.closed;
  if (failure !== undefined) throw new Error(failure);
}

/** What a session in the background has to say: one file for all of a host. */
function openLog(hostDirectory: string): number {
  return fs.openSync(path.join(hostDirectory, 'mount.log'), 'a', 0o600);
}

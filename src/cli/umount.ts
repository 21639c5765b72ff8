import fs from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { FamfsError } from '../famfs/errors.ts';
import { famfsMountAt, unmountFuse } from '../famfs/fuse/mount/mount.ts';

/** `famfs-csi umount DIR` */
export function umountCommand(): Command {
  return new Command('umount')
    .argument('<dir>', 'where it is mounted')
    .option('--lazy', 'take it out of sight now, end it with its last user')
    .action(umount);
}

async function umount(directory: string, options: { readonly lazy?: true }): Promise<void> {
  const place = realDirectory(directory);
  if (famfsMountAt(place) === undefined) throw new FamfsError('NOT_FOUND', `no famfs pool is mounted on ${directory}`);
  await unmountFuse(place, { lazy: options.lazy ?? false });
}

/** A mount whose server has died cannot be looked at, but its parent can. */
function realDirectory(directory: string): string {
  const absolute = path.resolve(directory);
  try {
    return path.join(fs.realpathSync(path.dirname(absolute)), path.basename(absolute));
  } catch {
    return absolute;
  }
}

import { Command } from 'commander';
import { FamfsError } from '../famfs/errors.ts';
import { printJson, printTable } from './output.ts';
import { poolPath, withPool } from './reading.ts';

/** `famfs-csi ls DEVICE [PATH]` */
export function lsCommand(): Command {
  return new Command('ls')
    .argument('<device>', 'the pool')
    .argument('[path]', 'a directory or file in it', '')
    .option('-r, --recursive', 'with everything below')
    .option('--json', 'print JSON')
    .action((device: string, text: string, options: { recursive?: true; json?: true }) => withPool(device, (pool) => {
      const path = poolPath(text);
      const at = pool.stat(path);
      if (at === undefined) throw new FamfsError('NOT_FOUND', `${device}: ${JSON.stringify(path)} does not exist`);
      const found = at.kind === 'file' ? [at] : options.recursive ? [...pool.walk(path)] : pool.list(path);
      if (options.json) return printJson(found);
      printTable(['MODE', 'UID', 'GID', 'SIZE', 'PATH'], found.map(({ kind, mode, uid, gid, size, path: name }) => (
        [`${kind === 'directory' ? 'd' : '-'}${mode.toString(8).padStart(4, '0')}`, uid, gid, size, kind === 'directory' ? `${name}/` : name])));
    }));
}

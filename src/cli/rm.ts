import { Command } from 'commander';
import { FamfsError } from '../famfs/errors.ts';
import { nameAliases } from '../famfs/writer/rejects.ts';
import { printJson } from './output.ts';
import { poolPath } from './reading.ts';
import { withWriter, withWritingOptions, type WritingOptions } from './writing.ts';

interface RmOptions extends WritingOptions {
  readonly recursive?: true;
  readonly force?: true;
  readonly json?: true;
}

/** `famfs-csi rm DEVICE PATH` */
export function rmCommand(): Command {
  return withWritingOptions(new Command('rm')
    .argument('<device>', 'the pool')
    .argument('<path>', 'what to delete, from the root of the pool')
    .option('-r, --recursive', 'with everything below')
    .option('-f, --force', 'with all other files that have the same memory, as clones of the reference tools do')
    .option('--json', 'print JSON'))
    .action((device: string, text: string, options: RmOptions) => withWriter(device, options, (writer) => {
      const path = poolPath(text);
      if (writer.pool.stat(path) === undefined || path === '') {
        throw new FamfsError(path === '' ? 'INVALID' : 'NOT_FOUND', `${device}: ${JSON.stringify(path)} cannot be removed: ` +
          (path === '' ? 'it is the root' : 'it does not exist'));
      }
      const { force = false } = options;
      if (!force) writer.mustBeUnaliased(path); // or half of a tree would go
      const below = options.recursive ? [...writer.pool.walk(path)].map((node) => node.path).reverse() : [];
      const removed = [...below, path];
      const aliases = removed.flatMap((one) => writer.remove(one, { force }).map((alias) => ({ index: alias.index, path: alias.path })));
      if (options.json) return printJson({ removed, ...(aliases.length === 0 ? {} : { aliases }) });
      for (const alias of aliases) console.error(`famfs-csi: ${nameAliases([alias])} had the same memory and is deleted too`);
    }));
}

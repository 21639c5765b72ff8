import { Command } from 'commander';
import { FamfsError } from '../famfs/errors.ts';
import { printJson } from './output.ts';
import { poolPath, withWriter, withWritingOptions, type WritingOptions } from './writing.ts';

/** `famfs-csi rm DEVICE PATH` */
export function rmCommand(): Command {
  return withWritingOptions(new Command('rm')
    .description('delete a file or an empty directory; memory of files stays quarantined until no host can use it')
    .argument('<device>', 'the pool')
    .argument('<path>', 'what to delete, from the root of the pool')
    .option('-r, --recursive', 'with everything below')
    .option('--json', 'print JSON'))
    .action((device: string, text: string, options: WritingOptions & { recursive?: true; json?: true }) => withWriter(device, options, (writer) => {
      const path = poolPath(text);
      if (writer.pool.stat(path) === undefined || path === '') {
        throw new FamfsError(path === '' ? 'INVALID' : 'NOT_FOUND', `${device}: ${JSON.stringify(path)} cannot be removed: ` +
          (path === '' ? 'it is the root' : 'it does not exist'));
      }
      const below = options.recursive ? [...writer.pool.walk(path)].map((node) => node.path).reverse() : [];
      const removed = [...below, path];
      for (const one of removed) writer.remove(one);
      if (options.json) printJson({ removed });
    }));
}

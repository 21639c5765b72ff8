import { Command, Option } from 'commander';
import { printJson } from './output.ts';
import { poolPath } from './reading.ts';
import { parseId, parseMode } from './sizes.ts';
import { withWriter, withWritingOptions, type WritingOptions } from './writing.ts';

interface MkdirOptions extends WritingOptions {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly parents?: true;
  readonly json?: true;
}

/** `famfs-csi mkdir DEVICE PATH` */
export function mkdirCommand(): Command {
  return withWritingOptions(new Command('mkdir')
    .argument('<device>', 'the pool')
    .argument('<path>', 'the directory, from the root of the pool')
    .addOption(new Option('-m, --mode <octal>', 'permissions').argParser(parseMode).default(0o755, '0755'))
    .option('-u, --uid <id>', 'owner', parseId, 0)
    .option('-g, --gid <id>', 'group', parseId, 0)
    .option('-p, --parents', 'make missing directories above too; no error if it exists')
    .option('--json', 'print JSON'))
    .action((device: string, text: string, options: MkdirOptions) => withWriter(device, options, (writer) => {
      const path = poolPath(text);
      const { mode, uid, gid } = options;
      const names = path.split('/');
      const wanted = options.parents ? names.map((_, k) => names.slice(0, k + 1).join('/')) : [path];
      for (const directory of wanted) {
        if (options.parents && writer.pool.stat(directory)?.kind === 'directory') continue;
        writer.create([{ kind: 'directory', path: directory, mode, uid, gid }]);
      }
      if (options.json) printJson(writer.pool.stat(path));
    }));
}

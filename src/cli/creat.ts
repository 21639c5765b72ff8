import { Command, Option } from 'commander';
import { describeRange } from '../famfs/device/pool-address.ts';
import { printJson } from './output.ts';
import { poolPath } from './reading.ts';
import { parseId, parseMode, parseSize } from './sizes.ts';
import { withWriter, withWritingOptions, type WritingOptions } from './writing.ts';

interface CreatOptions extends WritingOptions {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly json?: true;
}

/** `famfs-csi creat DEVICE PATH SIZE` */
export function creatCommand(): Command {
  return withWritingOptions(new Command('creat')
    .argument('<device>', 'the pool')
    .argument('<path>', 'the file, from the root of the pool')
    .argument('<size>', 'its size for ever: bytes, or 64MiB, 1Gi', parseSize)
    .addOption(new Option('-m, --mode <octal>', 'permissions').argParser(parseMode).default(0o644, '0644'))
    .option('-u, --uid <id>', 'owner', parseId, 0)
    .option('-g, --gid <id>', 'group', parseId, 0)
    .option('--json', 'print JSON'))
    .action((device: string, path: string, size: number, options: CreatOptions) => withWriter(device, options, async (writer) => {
      const { mode, uid, gid } = options;
      await writer.prepare(size);
      const [node] = writer.create([{ kind: 'file', path: poolPath(path), size, mode, uid, gid }]);
      if (options.json) printJson({ ...node, extents: writer.pool.view.extents(node.node).map(describeRange) });
    }));
}

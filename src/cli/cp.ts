import fs from 'node:fs';
import { Command } from 'commander';
import { FamfsError } from '../famfs/errors.ts';
import { MIB } from '../famfs/units.ts';
import { printJson } from './output.ts';
import { progressBar } from './progress.ts';
import { poolPath } from './reading.ts';
import { parseMode } from './sizes.ts';
import { withWriter, withWritingOptions, type WritingOptions } from './writing.ts';

interface CpOptions extends WritingOptions {
  readonly mode?: number;
  readonly json?: true;
}

/** Bytes read and written at a time. */
const STEP = 16 * MIB;

/** `famfs-csi cp SOURCE DEST` */
export function cpCommand(): Command {
  return withWritingOptions(new Command('cp')
    .argument('<source>', 'a file')
    .argument('<dest>', 'DEVICE:PATH, or an existing file of a mounted pool that is large enough')
    .option('-m, --mode <octal>', 'permissions of a new file (default: those of the source)', parseMode)
    .option('--json', 'print JSON'))
    .action(run);
}

async function run(source: string, dest: string, options: CpOptions): Promise<void> {
  const fd = fs.openSync(source, 'r');
  const bar = progressBar('copying');
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw new FamfsError('INVALID', `${source} is not a regular file`);
    const target = fs.existsSync(dest) ? undefined : splitTarget(dest);
    if (target === undefined) await intoFile(fd, stat.size, dest, bar.report);
    else await intoPool(fd, stat, target, options, bar.report);
    bar.stop();
    if (options.json) printJson({ source, dest, bytes: stat.size });
  } finally {
    bar.stop();
    fs.closeSync(fd);
  }
}

/** DEVICE:PATH, divided where the device's name ends. */
function splitTarget(dest: string): { device: string; path: string } {
  for (let at = dest.indexOf(':'); at > 0; at = dest.indexOf(':', at + 1)) {
    if (fs.existsSync(dest.slice(0, at))) return { device: dest.slice(0, at), path: poolPath(dest.slice(at + 1)) };
  }
  throw new FamfsError('NOT_FOUND', `${dest} is neither an existing file nor DEVICE:PATH of an existing device; ` +
    'files of a mounted pool cannot be created through the mount');
}

async function intoPool(
  fd: number, { size, mode }: fs.Stats, target: { device: string; path: string }, options: CpOptions, report: (done: number, total: number) => void,
): Promise<void> {
  await withWriter(target.device, options, async (writer) => {
    if (size === 0) throw new FamfsError('INVALID', 'the source is empty: a famfs file has at least one byte');
    await writer.prepare(size);
    const [node] = writer.create([{ kind: 'file', path: target.path, size, mode: options.mode ?? mode & 0o777, uid: 0, gid: 0 }]);
    try {
      const buffer = Buffer.alloc(Math.min(STEP, size));
      writer.whileNamedInClaim(node.node, () => {
        for (let at = 0; at < size; at += buffer.length) {
          writer.mustRule();
          const chunk = buffer.subarray(0, Math.min(buffer.length, size - at));
          readFully(fd, chunk, at);
          writer.pool.write(node.node, at, chunk);
          report(at + chunk.length, size);
        }
      });
    } catch (error) {
      if (!writer.lost) writer.remove(target.path);
      throw error;
    }
  });
}

async function intoFile(fd: number, size: number, dest: string, report: (done: number, total: number) => void): Promise<void> {
  const out = fs.openSync(dest, 'r+');
  try {
    const room = fs.fstatSync(out).size;
    if (size > room) throw new FamfsError('TOO_LARGE', `${dest} has ${room} bytes for ever, the source has ${size}`);
    const buffer = Buffer.alloc(Math.min(STEP, Math.max(size, 1)));
    for (let at = 0; at < size; at += buffer.length) {
      const chunk = buffer.subarray(0, Math.min(buffer.length, size - at));
      readFully(fd, chunk, at);
      for (let done = 0; done < chunk.length;) done += fs.writeSync(out, chunk, done, chunk.length - done, at + done);
      report(at + chunk.length, size);
    }
    fs.fsyncSync(out);
  } finally {
    fs.closeSync(out);
  }
}

function readFully(fd: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length;) {
    const count = fs.readSync(fd, into, done, into.length - done, position + done);
    if (count === 0) throw new FamfsError('INVALID', 'the source became shorter while it was copied');
    done += count;
  }
}

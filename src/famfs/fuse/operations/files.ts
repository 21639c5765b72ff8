import { isBad } from '../host-state/bad-ranges.ts';
import { LseekIn, LseekOut, OpenFlag, OpenOut, ReadIn, Whence, WriteFlag, WriteIn, WriteOut } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import { killSetId } from './attributes.ts';
import { type FileSystem, windowsOf } from './file-system.ts';
import { isLive } from './liveness.ts';

/**
 * OPEN. No file handle: the node id says all. Direct I/O keeps this host's page cache out of read
 * and write, which makes them coherent between hosts; without parallel direct writes the kernel
 * would take writers of one file one after the other.
 */
export function open(call: Call, fs: FileSystem): number {
  const node = call.nodeid;
  if (!isLive(fs, node)) return Errno.ESTALE;
  if (fs.index.isDirectory(node)) return Errno.EISDIR;
  call.body(OpenOut.size);
  call.put32(OpenOut.openFlags, OpenFlag.DirectIo | OpenFlag.ParallelDirectWrites);
  return Errno.OK;
}

/** READ: the kernel copies straight out of the device's memory. EIO where that cannot be read. */
export function read(call: Call, fs: FileSystem): number {
  const node = call.nodeid;
  if (!isLive(fs, node)) return Errno.ESTALE;
  const [offset, length] = [call.u64(ReadIn.offset), call.u32(ReadIn.length)];
  if (isBad(fs.bad, node, offset, length)) return Errno.EIO;
  call.windows = windowsOf(fs, node, offset, length);
  return call.windows.every((window) => fs.populated.ensure(window)) ? Errno.OK : Errno.EIO;
}

/**
 * WRITE: one copy into the device's memory. Files do not grow: at or past the end there is no space,
 * and a write that crosses the end is short. ENOSPC, too, where set-id bits have to go and cannot.
 */
export function write(call: Call, fs: FileSystem): number {
  const node = call.nodeid;
  const length = call.u32(WriteIn.length);
  const data = call.data(WriteIn.size);
  if (length > data.length) return Errno.EINVAL;
  if (!isLive(fs, node)) return Errno.ESTALE;
  if (isBad(fs.bad, node, call.u64(WriteIn.offset), length)) return Errno.EIO;
  if ((call.u32(WriteIn.writeFlags) & WriteFlag.KillSuidgid) !== 0 && !killSetId(fs, node)) return Errno.ENOSPC;
  let written = 0;
  for (const { bytes } of windowsOf(fs, node, call.u64(WriteIn.offset), length)) {
    bytes.set(data.subarray(written, written + bytes.length));
    written += bytes.length;
  }
  if (written === 0 && length > 0) return Errno.ENOSPC;
  call.body(WriteOut.size);
  call.put32(WriteOut.length, written);
  return Errno.OK;
}

/** LSEEK: no file has a hole. The kernel handles every other way of seeking by itself. */
export function lseek(call: Call, fs: FileSystem): number {
  const node = call.nodeid;
  if (!isLive(fs, node)) return Errno.ESTALE;
  const size = fs.index.size(node);
  const offset = call.u64(LseekIn.offset);
  const whence = call.u32(LseekIn.whence);
  if (whence !== Whence.Data && whence !== Whence.Hole) return Errno.EINVAL;
  if (offset >= size) return Errno.ENXIO;
  call.body(LseekOut.size);
  call.put64(LseekOut.offset, whence === Whence.Data ? offset : size);
  return Errno.OK;
}

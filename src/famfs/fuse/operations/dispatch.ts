import type { WorkerCounters } from '../host-state/counters.ts';
import {
  AttrOut, EntryOut, FlushIn, FsyncIn, GetattrIn, GetxattrIn, InHeader, LseekIn, LseekOut, Opcode, OPCODES, OpenIn,
  OpenOut, OutHeader, ReadIn, ReleaseIn, SetattrIn, StatfsOut, WriteIn, WriteOut,
} from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import { done, fsync, noIoctl, notALink, notImplemented, notPermitted, notSupported } from './answers.ts';
import { getattr, setattr } from './attributes.ts';
import { LARGEST_DIRENT, opendir, readdir, readdirplus } from './directories.ts';
import type { FileSystem } from './file-system.ts';
import { lseek, open, read, write } from './files.ts';
import { lookup } from './lookup.ts';
import { statfs } from './statfs.ts';
import { getxattr, listxattr } from './xattrs.ts';

/** How one opcode is served. */
export interface Operation {
  /** The kernel's name for it. */
  readonly name: string;
  readonly opcode: number;
  /** Bytes of arguments that must be there, the header not counted. */
  readonly inSize: number;
  /** The largest body it writes into the reply buffer, or the least that must fit. */
  readonly outSize: number;
  readonly replies: boolean;
  /** Returns an errno, 0 for success, with the reply's body in the call. */
  readonly run: (call: Call, fs: FileSystem) => number;
}

type Run = Operation['run'];

const operation = (name: string, opcode: number, inSize: number, outSize: number, run: Run): Operation =>
  ({ name, opcode, inSize, outSize, replies: true, run });
const silent = (name: string, opcode: number): Operation =>
  ({ name, opcode, inSize: 0, outSize: 0, replies: false, run: done });

/** Every operation, by opcode. What is not here is answered ENOSYS. */
export const operations = table([
  operation('LOOKUP', Opcode.Lookup, 1, EntryOut.size, lookup),
  operation('GETATTR', Opcode.Getattr, GetattrIn.size, AttrOut.size, getattr),
  operation('SETATTR', Opcode.Setattr, SetattrIn.size, AttrOut.size, setattr),
  operation('OPEN', Opcode.Open, OpenIn.size, OpenOut.size, open),
  operation('READ', Opcode.Read, ReadIn.size, 0, read),
  operation('WRITE', Opcode.Write, WriteIn.size, WriteOut.size, write),
  operation('LSEEK', Opcode.Lseek, LseekIn.size, LseekOut.size, lseek),
  operation('FSYNC', Opcode.Fsync, FsyncIn.size, 0, fsync),
  // Once, then never again: the kernel writes dirty mapped pages at close before it would ask.
  operation('FLUSH', Opcode.Flush, FlushIn.size, 0, notImplemented),
  operation('RELEASE', Opcode.Release, ReleaseIn.size, 0, done),
  operation('OPENDIR', Opcode.Opendir, OpenIn.size, OpenOut.size, opendir),
  operation('READDIR', Opcode.Readdir, ReadIn.size, LARGEST_DIRENT, readdir),
  operation('READDIRPLUS', Opcode.Readdirplus, ReadIn.size, LARGEST_DIRENT, readdirplus),
  operation('FSYNCDIR', Opcode.Fsyncdir, FsyncIn.size, 0, fsync),
  operation('RELEASEDIR', Opcode.Releasedir, ReleaseIn.size, 0, done),
  operation('STATFS', Opcode.Statfs, 0, StatfsOut.size, statfs),
  operation('GETXATTR', Opcode.Getxattr, GetxattrIn.size + 1, 4096, getxattr),
  operation('LISTXATTR', Opcode.Listxattr, GetxattrIn.size, 4096, listxattr),
  operation('DESTROY', Opcode.Destroy, 0, 0, done),

  // Node ids come from the log and are never reused: there is nothing to count or to forget.
  silent('FORGET', Opcode.Forget),
  silent('BATCH_FORGET', Opcode.BatchForget),
  // Nothing here waits long enough to be worth interrupting.
  silent('INTERRUPT', Opcode.Interrupt),
  silent('NOTIFY_REPLY', Opcode.NotifyReply),

  operation('CREATE', Opcode.Create, 0, 0, notPermitted),
  operation('MKNOD', Opcode.Mknod, 0, 0, notPermitted),
  operation('MKDIR', Opcode.Mkdir, 0, 0, notPermitted),
  operation('UNLINK', Opcode.Unlink, 0, 0, notPermitted),
  operation('RMDIR', Opcode.Rmdir, 0, 0, notPermitted),
  operation('RENAME', Opcode.Rename, 0, 0, notPermitted),
  operation('RENAME2', Opcode.Rename2, 0, 0, notPermitted),
  operation('LINK', Opcode.Link, 0, 0, notPermitted),
  operation('SYMLINK', Opcode.Symlink, 0, 0, notPermitted),
  operation('TMPFILE', Opcode.Tmpfile, 0, 0, notSupported),
  operation('FALLOCATE', Opcode.Fallocate, 0, 0, notSupported),
  operation('COPY_FILE_RANGE', Opcode.CopyFileRange, 0, 0, notSupported),
  operation('SETXATTR', Opcode.Setxattr, 0, 0, notSupported),
  operation('REMOVEXATTR', Opcode.Removexattr, 0, 0, notSupported),
  operation('READLINK', Opcode.Readlink, 0, 0, notALink),
  operation('IOCTL', Opcode.Ioctl, 0, 0, noIoctl),
  operation('POLL', Opcode.Poll, 0, 0, notImplemented),
  operation('STATX', Opcode.Statx, 0, 0, notImplemented), // the kernel then sends GETATTR
  operation('ACCESS', Opcode.Access, 0, 0, notImplemented), // default_permissions: the kernel decides
]);

/** The operations in a table by opcode; throws when two share one. */
export function table(list: readonly Operation[]): readonly (Operation | undefined)[] {
  const byOpcode = new Array<Operation | undefined>(OPCODES).fill(undefined);
  for (const entry of list) {
    if (byOpcode[entry.opcode] !== undefined) throw new Error(`opcode ${entry.opcode} is served twice: ${entry.name}`);
    byOpcode[entry.opcode] = entry;
  }
  return Object.freeze(byOpcode);
}

/** Start-up check: the buffers of a worker hold every request and every reply. Throws otherwise. */
export function checkBuffers(call: Call, maxWrite: number): void {
  if (call.request.length < maxWrite + InHeader.size + WriteIn.size) throw new Error('the request buffer is too small for a WRITE');
  for (const entry of operations) {
    if (entry === undefined) continue;
    if (entry.outSize > call.bodyCapacity || OutHeader.size + entry.outSize > call.reply.length) {
      throw new Error(`the reply buffer is too small for ${entry.name}`);
    }
  }
}

/**
 * Serves the request in a call's buffer, `length` bytes long, and leaves the reply in the call.
 * False when the kernel expects none. Needs no mount: bytes in, bytes out.
 */
export function dispatch(call: Call, length: number, fs: FileSystem, counters: WorkerCounters): boolean {
  call.begin(length);
  counters.taken(call);
  const opcode = call.opcode;
  const entry = opcode < OPCODES ? operations[opcode] : undefined;
  const errno = run(entry, call, fs);
  counters.count(opcode, errno);
  if (entry !== undefined && !entry.replies) return false;
  call.finish(errno);
  return true;
}

/** Leaves the answer to a request that must not be tried. */
export function refuse(call: Call, length: number): true {
  call.begin(length);
  call.finish(Errno.EIO);
  return true;
}

function run(entry: Operation | undefined, call: Call, fs: FileSystem): number {
  if (entry === undefined) return Errno.ENOSYS;
  if (call.length < InHeader.size + entry.inSize || call.length !== call.declaredLength) return Errno.EIO;
  if (!fs.index.isSamePool()) return Errno.ESTALE; // formatted anew: node ids and extents mean something else now
  try {
    return entry.run(call, fs);
  } catch (error) {
    fs.failed(entry.name, error);
    return Errno.EIO;
  }
}

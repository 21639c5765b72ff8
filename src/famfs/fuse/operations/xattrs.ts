import { describeRange } from '../../device/pool-address.ts';
import { GetxattrIn, GetxattrOut } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import type { FileSystem } from './file-system.ts';
import { isLive } from './liveness.ts';

const attributes: Readonly<Record<string, (fs: FileSystem, node: number) => string>> = {
  /** The pool's file system UUID. */
  'user.famfs.pool': (fs) => fs.index.poolUuid,
  /** Where on the device the file's memory is. */
  'user.famfs.extents': (fs, node) => JSON.stringify(layout(fs, node)),
};

const names = Buffer.from(Object.keys(attributes).map((name) => `${name}\0`).join(''));

/** GETXATTR */
export function getxattr(call: Call, fs: FileSystem): number {
  const name = call.name(GetxattrIn.size);
  if (name === undefined) return Errno.EINVAL;
  if (!isLive(fs, call.nodeid)) return Errno.ESTALE;
  const key = Buffer.from(name).toString('latin1');
  if (!Object.hasOwn(attributes, key)) return Errno.ENODATA;
  return replyValue(call, Buffer.from(attributes[key](fs, call.nodeid)));
}

/** LISTXATTR */
export function listxattr(call: Call, fs: FileSystem): number {
  return isLive(fs, call.nodeid) ? replyValue(call, names) : Errno.ESTALE;
}

/** A caller without room is told the length; one with too little, ERANGE. */
function replyValue(call: Call, value: Buffer): number {
  const room = call.u32(GetxattrIn.length);
  if (room === 0) {
    call.body(GetxattrOut.size);
    call.put32(GetxattrOut.length, value.length);
    return Errno.OK;
  }
  if (value.length > room) return Errno.ERANGE;
  call.putBytes(0, value);
  call.bodyLength = value.length;
  return Errno.OK;
}

function layout(fs: FileSystem, node: number): unknown {
  if (fs.index.isDirectory(node)) return { extents: [] };
  return { extents: fs.index.extents(node).map(describeRange), ...fs.index.interleave(node) };
}

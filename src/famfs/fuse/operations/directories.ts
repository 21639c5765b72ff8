import { Dirent, Direntplus, DirentType, OpenOut, ReadIn } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import { putEntry } from './attribute-replies.ts';
import { catchUp, type FileSystem } from './file-system.ts';
import { isLive } from './liveness.ts';

/**
 * Where a listing goes on: 1 after ".", 2 after "..", node id + 1 after a child. A node id never
 * moves in its directory, so a listing that goes on after hours skips nothing and repeats nothing.
 */
const Cookie = { dot: 1, dotDot: 2, of: (node: number) => node + 1, node: (cookie: number) => cookie - 1 } as const;

const dot = Buffer.from('.');
const dotDot = Buffer.from('..');

/** OPENDIR: what other hosts made or removed before this moment is in the listing. */
export function opendir(call: Call, fs: FileSystem): number {
  const node = call.nodeid;
  catchUp(fs);
  if (!isLive(fs, node)) return Errno.ESTALE;
  call.body(OpenOut.size);
  return Errno.OK;
}

/** READDIR: names, ids and types. */
export function readdir(call: Call, fs: FileSystem): number {
  return list(call, fs, false);
}

/** READDIRPLUS: the same with attributes, which saves a LOOKUP for each name. */
export function readdirplus(call: Call, fs: FileSystem): number {
  return list(call, fs, true);
}

function list(call: Call, fs: FileSystem, plus: boolean): number {
  const directory = call.nodeid;
  const { index } = fs;
  if (!isLive(fs, directory)) return Errno.ESTALE;
  const room = Math.min(call.u32(ReadIn.length), call.bodyCapacity);
  const cookie = call.u64(ReadIn.offset);
  let full = false;

  const add = (name: Uint8Array, node: number, next: number, type: number, withEntry: boolean) => {
    const head = plus ? Direntplus.size : Dirent.size;
    const at = call.bodyLength;
    const length = (head + name.length + 7) & ~7;
    if (at + length > room) {
      full = true;
      return;
    }
    call.clear(at, length);
    if (plus && withEntry) putEntry(call, at + Direntplus.entry, fs, node);
    const dirent = plus ? at + Direntplus.dirent : at;
    call.put64(dirent + Dirent.ino, node);
    call.put64(dirent + Dirent.off, next);
    call.put32(dirent + Dirent.namelen, name.length);
    call.put32(dirent + Dirent.type, type);
    call.putBytes(dirent + Dirent.size, name);
    call.bodyLength = at + length;
  };

  // The kernel knows both already: in READDIRPLUS they go without an entry (node id 0).
  if (cookie < Cookie.dot) add(dot, directory, Cookie.dot, DirentType.Directory, false);
  if (cookie < Cookie.dotDot && !full) {
    add(dotDot, index.parent(directory) || directory, Cookie.dotDot, DirentType.Directory, false);
  }
  let child = cookie <= Cookie.dotDot ? index.firstChild(directory) : index.childAfter(directory, Cookie.node(cookie));
  for (; child !== 0 && !full; child = index.nextSibling(child)) {
    if (!isLive(fs, child)) continue;
    const type = index.isDirectory(child) ? DirentType.Directory : DirentType.Regular;
    add(index.name(child), child, Cookie.of(child), type, true);
  }
  return full && call.bodyLength === 0 ? Errno.EINVAL : Errno.OK;
}

/** The largest entry of a listing: checked against the reply buffer when the table is made. */
export const LARGEST_DIRENT = Direntplus.size + 256;

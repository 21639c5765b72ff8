import { ROOT } from '../../index/index-store.ts';
import { Override, OverrideField } from '../host-state/overrides.ts';
import { Attr, AttrOut, EntryOut, Mode } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import type { FileSystem } from './file-system.ts';

/** What the kernel counts blocks in, whatever the file system. */
const BLOCK = 512;

/** Page size: also the unit in which the kernel's page cache handles our files. */
const PREFERRED_IO = 4096;

const parentGroup = new Override(); // each worker is a thread with modules of its own

/** Permission bits of a node as the log and this host's override have them, without mount groups. */
export function permissions(fs: FileSystem, node: number): number {
  const { index, overrides, override } = fs;
  const set = overrides.isUsed() && overrides.read(node, override) && override.has(OverrideField.mode);
  return set ? override.mode : index.mode(node);
}

/** The mount group a node is under, its own included; -1 for none. */
function mountGroup(fs: FileSystem, node: number): number {
  if (!fs.overrides.hasGroups()) return -1;
  for (let at = node; ; at = fs.index.parent(at)) {
    if (fs.overrides.read(at, parentGroup) && parentGroup.has(OverrideField.group)) return parentGroup.group;
    if (at <= ROOT) return -1; // the root is its own parent
  }
}

/** Writes a `struct fuse_attr` at an offset of the reply's body, over zeros. */
export function putAttr(call: Call, at: number, fs: FileSystem, node: number): void {
  const { index, overrides, override } = fs;
  const directory = index.isDirectory(node);
  const size = directory ? 0 : index.size(node);
  const created = overrides.createdSeconds();
  if (!overrides.isUsed() || !overrides.read(node, override)) override.fields = 0;

  let mode = override.has(OverrideField.mode) ? override.mode : index.mode(node);
  let gid = override.has(OverrideField.gid) ? override.gid : index.gid(node);
  const group = mountGroup(fs, node);
  if (group >= 0) {
    gid = group;
    mode |= directory ? 0o2070 : 0o060;
  }

  call.put64(at + Attr.ino, node);
  call.put64(at + Attr.bytes, size);
  call.put64(at + Attr.blocks, Math.ceil(size / BLOCK));
  call.put64(at + Attr.atime, override.has(OverrideField.atime) ? override.atime : created);
  call.put64(at + Attr.mtime, override.has(OverrideField.mtime) ? override.mtime : created);
  call.put64(at + Attr.ctime, override.has(OverrideField.ctime) ? override.ctime : created);
  if (override.has(OverrideField.atime)) call.put32(at + Attr.atimensec, override.atimensec);
  if (override.has(OverrideField.mtime)) call.put32(at + Attr.mtimensec, override.mtimensec);
  if (override.has(OverrideField.ctime)) call.put32(at + Attr.ctimensec, override.ctimensec);
  call.put32(at + Attr.mode, (directory ? Mode.Directory : Mode.Regular) | (mode & Mode.permissions));
  call.put32(at + Attr.nlink, 1); // also for directories: "sub-directories are not counted"
  call.put32(at + Attr.uid, override.has(OverrideField.uid) ? override.uid : index.uid(node));
  call.put32(at + Attr.gid, gid);
  call.put32(at + Attr.blksize, PREFERRED_IO);
}

/** Replies with a `struct fuse_attr_out`. */
export function replyAttr(call: Call, fs: FileSystem, node: number): void {
  call.body(AttrOut.size);
  call.put64(AttrOut.attrValid, fs.cacheSeconds);
  putAttr(call, AttrOut.attr, fs, node);
}

/**
 * Writes a `struct fuse_entry_out` at an offset of the reply's body, over zeros. A node id is never
 * given out twice, so its generation is always 0.
 */
export function putEntry(call: Call, at: number, fs: FileSystem, node: number): void {
  call.put64(at + EntryOut.nodeid, node);
  call.put64(at + EntryOut.entryValid, fs.cacheSeconds);
  call.put64(at + EntryOut.attrValid, fs.cacheSeconds);
  putAttr(call, at + EntryOut.attr, fs, node);
}

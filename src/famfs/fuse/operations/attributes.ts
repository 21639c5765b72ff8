import { ROOT } from '../../index/index-store.ts';
import { type Override, OverrideField, type VolumeOf } from '../host-state/overrides.ts';
import { Mode, SetattrIn, SetattrValid } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import { permissions, replyAttr } from './attribute-replies.ts';
import type { FileSystem } from './file-system.ts';
import { isLive } from './liveness.ts';

/** GETATTR */
export function getattr(call: Call, fs: FileSystem): number {
  const node = call.nodeid;
  if (!isLive(fs, node)) return Errno.ESTALE;
  replyAttr(call, fs, node);
  return Errno.OK;
}

/**
 * SETATTR: mode, owner and times go to this host's override table: ENOSPC where that has no room for more of the
 * volume. A size cannot change: EINVAL, before anything else is touched; the size it has already is no change.
 */
export function setattr(call: Call, fs: FileSystem): number {
  const node = call.nodeid;
  const valid = call.u32(SetattrIn.valid);
  if (!isLive(fs, node)) return Errno.ESTALE;
  const directory = fs.index.isDirectory(node);
  if ((valid & SetattrValid.Size) !== 0) {
    if (directory) return Errno.EISDIR;
    if (call.u64(SetattrIn.bytes) !== fs.index.size(node)) return Errno.EINVAL;
  }
  const owner = valid & (SetattrValid.Uid | SetattrValid.Gid);
  const times = valid & (SetattrValid.Atime | SetattrValid.Mtime | SetattrValid.Ctime);
  const kills = !directory && (owner !== 0 || (valid & SetattrValid.KillSuidgid) !== 0);

  const before = permissions(fs, node);
  let mode = (valid & SetattrValid.Mode) !== 0 ? call.u32(SetattrIn.mode) & Mode.permissions : before;
  if (kills) mode = withoutSetId(mode);

  if (mode !== before || (valid & SetattrValid.Mode) !== 0 || owner !== 0 || times !== 0) {
    const stored = fs.overrides.change(node, (override) => {
      if (mode !== before || (valid & SetattrValid.Mode) !== 0) {
        override.mode = mode;
        override.fields |= OverrideField.mode;
      }
      applyOwner(call, valid, override);
      applyTimes(call, valid, override);
    }, volumeOf(fs));
    if (!stored) return Errno.ENOSPC;
  }
  replyAttr(call, fs, node);
  return Errno.OK;
}

/**
 * Clears the set-id bits of a file that somebody without CAP_FSETID wrote to: with
 * HANDLE_KILLPRIV_V2 the kernel leaves that to us, and asks for it by a flag of the WRITE. False where there is no
 * room to remember it: then nothing may be written, or what somebody wrote would run with the rights of the owner.
 */
export function killSetId(fs: FileSystem, node: number): boolean {
  const before = permissions(fs, node);
  const mode = withoutSetId(before);
  if (mode === before) return true;
  return fs.overrides.change(node, (override) => {
    override.mode = mode;
    override.fields |= OverrideField.mode;
  }, volumeOf(fs));
}

/** What a node's override counts for: the directory at the root that it is, or is in. */
function volumeOf({ index }: FileSystem): VolumeOf {
  return (node) => {
    for (let at = node; ; ) {
      const parent = index.parent(at);
      if (parent <= ROOT) return at;
      at = parent;
    }
  };
}

/** As Linux does: setgid without group execution means something else, and stays. */
function withoutSetId(mode: number): number {
  const kept = mode & ~Mode.setuid;
  return (kept & Mode.groupExec) !== 0 ? kept & ~Mode.setgid : kept;
}

function applyOwner(call: Call, valid: number, override: Override): void {
  if ((valid & SetattrValid.Uid) !== 0) {
    override.uid = call.u32(SetattrIn.uid);
    override.fields |= OverrideField.uid;
  }
  if ((valid & SetattrValid.Gid) !== 0) {
    override.gid = call.u32(SetattrIn.gid);
    override.fields |= OverrideField.gid;
  }
}

/** Whatever was changed, the change time is now, unless the caller brings one. */
function applyTimes(call: Call, valid: number, override: Override): void {
  const now = Date.now();
  const seconds = Math.floor(now / 1000);
  const nanoseconds = (now % 1000) * 1_000_000;
  if ((valid & SetattrValid.Atime) !== 0) {
    const given = (valid & SetattrValid.AtimeNow) === 0;
    override.atime = given ? call.i64(SetattrIn.atime) : seconds;
    override.atimensec = given ? call.u32(SetattrIn.atimensec) : nanoseconds;
    override.fields |= OverrideField.atime;
  }
  if ((valid & SetattrValid.Mtime) !== 0) {
    const given = (valid & SetattrValid.MtimeNow) === 0;
    override.mtime = given ? call.i64(SetattrIn.mtime) : seconds;
    override.mtimensec = given ? call.u32(SetattrIn.mtimensec) : nanoseconds;
    override.fields |= OverrideField.mtime;
  }
  const given = (valid & SetattrValid.Ctime) !== 0;
  override.ctime = given ? call.i64(SetattrIn.ctime) : seconds;
  override.ctimensec = given ? call.u32(SetattrIn.ctimensec) : nanoseconds;
  override.fields |= OverrideField.ctime;
}

import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import type { FileSystem } from './file-system.ts';
import { isLive } from './liveness.ts';

/**
 * FSYNC, FSYNCDIR: a write has reached the shared memory before it was answered, so there is nothing
 * left to do, except to say so when the file is gone.
 */
export function fsync(call: Call, fs: FileSystem): number {
  return isLive(fs, call.nodeid) ? Errno.OK : Errno.ESTALE;
}

/** RELEASE, RELEASEDIR, DESTROY, and what needs no reply: an open file has no state here. */
export function done(): number {
  return Errno.OK;
}

/**
 * What would make, remove or rename: only the pool's writer does that, through the log. EPERM is
 * what open(2), mkdir(2), rename(2) and their kin document for a file system that cannot.
 */
export function notPermitted(): number {
  return Errno.EPERM;
}

/**
 * What would allocate or attach metadata. Not ENOSYS, although the kernel would then stop asking:
 * it would not ask the next version of this program either, which takes over the same mount.
 */
export function notSupported(): number {
  return Errno.EOPNOTSUPP;
}

/** What the kernel does well without us, and need not ask again. */
export function notImplemented(): number {
  return Errno.ENOSYS;
}

/** READLINK: there are no symbolic links. */
export function notALink(): number {
  return Errno.EINVAL;
}

/** IOCTL */
export function noIoctl(): number {
  return Errno.ENOTTY;
}

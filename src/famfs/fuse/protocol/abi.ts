/**
 * The kernel's FUSE interface, include/uapi/linux/fuse.h, protocol 7.45: byte offsets of the fields
 * we use, named after the C structs, and the constants. Nothing here does anything.
 *
 * Request structs begin behind the 40-byte `InHeader`, reply structs behind the 16-byte `OutHeader`;
 * their offsets count from their own beginning.
 */

/**
 * `struct fuse_in_header`. `uid` and `gid` at 24 and 28 are left out, for nothing may depend on them: with ALLOW_IDMAP
 * the kernel fills them in for requests that make something, which we refuse, and for no others.
 */
export const InHeader = Object.freeze({
  size: 40, len: 0, opcode: 4, unique: 8, nodeid: 16, pid: 32, totalExtlen: 36,
} as const);

/** `struct fuse_out_header` */
export const OutHeader = Object.freeze({ size: 16, len: 0, error: 4, unique: 8 } as const);

/** `struct fuse_init_in`, as sent since 7.36 */
export const InitIn = Object.freeze({
  size: 64, major: 0, minor: 4, maxReadahead: 8, flags: 12, flags2: 16,
} as const);

/** `struct fuse_init_out` */
export const InitOut = Object.freeze({
  size: 64, major: 0, minor: 4, maxReadahead: 8, flags: 12, maxBackground: 16,
  congestionThreshold: 18, maxWrite: 20, timeGran: 24, maxPages: 28, mapAlignment: 30, flags2: 32, requestTimeout: 40,
} as const);

/** `struct fuse_attr` */
export const Attr = Object.freeze({
  size: 88, ino: 0, bytes: 8, blocks: 16, atime: 24, mtime: 32, ctime: 40, atimensec: 48,
  mtimensec: 52, ctimensec: 56, mode: 60, nlink: 64, uid: 68, gid: 72, rdev: 76, blksize: 80, flags: 84,
} as const);

/** `struct fuse_attr_out` */
export const AttrOut = Object.freeze({ size: 104, attrValid: 0, attrValidNsec: 8, attr: 16 } as const);

/** `struct fuse_entry_out` */
export const EntryOut = Object.freeze({
  size: 128, nodeid: 0, generation: 8, entryValid: 16, attrValid: 24, entryValidNsec: 32,
  attrValidNsec: 36, attr: 40,
} as const);

/** `struct fuse_setattr_in` */
export const SetattrIn = Object.freeze({
  size: 88, valid: 0, fh: 8, bytes: 16, lockOwner: 24, atime: 32, mtime: 40, ctime: 48,
  atimensec: 56, mtimensec: 60, ctimensec: 64, mode: 68, uid: 76, gid: 80,
} as const);

/** `struct fuse_getattr_in` */
export const GetattrIn = Object.freeze({ size: 16, flags: 0, fh: 8 } as const);

/** `struct fuse_open_in`, of OPEN and OPENDIR */
export const OpenIn = Object.freeze({ size: 8, flags: 0, openFlags: 4 } as const);

/** `struct fuse_open_out` */
export const OpenOut = Object.freeze({ size: 16, fh: 0, openFlags: 8, backingId: 12 } as const);

/** `struct fuse_read_in`, of READ, READDIR and READDIRPLUS */
export const ReadIn = Object.freeze({
  size: 40, fh: 0, offset: 8, length: 16, readFlags: 20, lockOwner: 24, flags: 32,
} as const);

/** `struct fuse_write_in`; the data follows */
export const WriteIn = Object.freeze({
  size: 40, fh: 0, offset: 8, length: 16, writeFlags: 20, lockOwner: 24, flags: 32,
} as const);

/** `struct fuse_write_out` */
export const WriteOut = Object.freeze({ size: 8, length: 0 } as const);

/** `struct fuse_release_in` */
export const ReleaseIn = Object.freeze({ size: 24, fh: 0, flags: 8, releaseFlags: 12, lockOwner: 16 } as const);

/** `struct fuse_flush_in` */
export const FlushIn = Object.freeze({ size: 24, fh: 0, lockOwner: 16 } as const);

/** `struct fuse_fsync_in` */
export const FsyncIn = Object.freeze({ size: 16, fh: 0, flags: 8 } as const);

/** `struct fuse_lseek_in` */
export const LseekIn = Object.freeze({ size: 24, fh: 0, offset: 8, whence: 16 } as const);

/** `struct fuse_lseek_out` */
export const LseekOut = Object.freeze({ size: 8, offset: 0 } as const);

/** `struct fuse_getxattr_in`, of GETXATTR (a name follows) and LISTXATTR */
export const GetxattrIn = Object.freeze({ size: 8, length: 0 } as const);

/** `struct fuse_getxattr_out` */
export const GetxattrOut = Object.freeze({ size: 8, length: 0 } as const);

/** `struct fuse_kstatfs`, all there is in `struct fuse_statfs_out` */
export const StatfsOut = Object.freeze({
  size: 80, blocks: 0, bfree: 8, bavail: 16, files: 24, ffree: 32, bsize: 40, namelen: 44, frsize: 48,
} as const);

/** `struct fuse_dirent`; the name follows, and padding to 8 bytes */
export const Dirent = Object.freeze({ size: 24, ino: 0, off: 8, namelen: 16, type: 20 } as const);

/** `struct fuse_direntplus`: an entry, then a dirent */
export const Direntplus = Object.freeze({ size: 152, entry: 0, dirent: 128 } as const);

/** `struct fuse_notify_inval_inode_out` */
export const NotifyInvalInodeOut = Object.freeze({ size: 24, ino: 0, off: 8, len: 16 } as const);

/** `enum fuse_opcode` */
export const Opcode = Object.freeze({
  Lookup: 1, Forget: 2, Getattr: 3, Setattr: 4, Readlink: 5, Symlink: 6, Mknod: 8, Mkdir: 9,
  Unlink: 10, Rmdir: 11, Rename: 12, Link: 13, Open: 14, Read: 15, Write: 16, Statfs: 17,
  Release: 18, Fsync: 20, Setxattr: 21, Getxattr: 22, Listxattr: 23, Removexattr: 24, Flush: 25,
  Init: 26, Opendir: 27, Readdir: 28, Releasedir: 29, Fsyncdir: 30, Getlk: 31, Setlk: 32,
  Setlkw: 33, Access: 34, Create: 35, Interrupt: 36, Bmap: 37, Destroy: 38, Ioctl: 39, Poll: 40,
  NotifyReply: 41, BatchForget: 42, Fallocate: 43, Readdirplus: 44, Rename2: 45, Lseek: 46,
  CopyFileRange: 47, Setupmapping: 48, Removemapping: 49, Syncfs: 50, Tmpfile: 51, Statx: 52,
} as const);

/** One more than the highest opcode we know. */
export const OPCODES = 53;

/** INIT: bits 0-31 in `flags` */
export const InitFlag = Object.freeze({
  AsyncRead: 1 << 0, BigWrites: 1 << 5, DoReaddirplus: 1 << 13, ReaddirplusAuto: 1 << 14,
  ParallelDirops: 1 << 18, MaxPages: 1 << 22, HandleKillprivV2: 1 << 28, InitExt: 1 << 30,
} as const);

/** INIT: bits 32-63, in `flags2` */
export const InitFlag2 = Object.freeze({
  DirectIoAllowMmap: 1 << 4, // bit 36, Linux 6.6
  HasResend: 1 << 7, // bit 39, Linux 6.9
  AllowIdmap: 1 << 8, // bit 40, Linux 6.12
  RequestTimeout: 1 << 10, // bit 42, Linux 6.15
} as const);

/** Reply to OPEN: `open_flags` */
export const OpenFlag = Object.freeze({ DirectIo: 1 << 0, ParallelDirectWrites: 1 << 6 } as const);

/** SETATTR: `valid` */
export const SetattrValid = Object.freeze({
  Mode: 1 << 0, Uid: 1 << 1, Gid: 1 << 2, Size: 1 << 3, Atime: 1 << 4, Mtime: 1 << 5,
  AtimeNow: 1 << 7, MtimeNow: 1 << 8, Ctime: 1 << 10, KillSuidgid: 1 << 11,
} as const);

/** WRITE: `write_flags` */
export const WriteFlag = Object.freeze({ Cache: 1 << 0, KillSuidgid: 1 << 2 } as const);

/** `enum fuse_notify_code`: the `error` field of a message that answers no request */
export const NotifyCode = Object.freeze({ InvalInode: 2, InvalEntry: 3, Resend: 7, IncEpoch: 8 } as const);

/** The minor version that brought FUSE_NOTIFY_INC_EPOCH (Linux 6.16). */
export const MINOR_WITH_EPOCH = 44;

/** Node id of the root directory. */
export const ROOT_ID = 1;

/** Types of `struct fuse_dirent`: those of readdir(3). */
export const DirentType = Object.freeze({ Directory: 4, Regular: 8 } as const);

/** File type and privilege bits of `st_mode`. */
export const Mode = Object.freeze({
  Directory: 0o040000, Regular: 0o100000, permissions: 0o7777, setuid: 0o4000, setgid: 0o2000, groupExec: 0o010,
} as const);

/** lseek(2) */
export const Whence = Object.freeze({ Data: 3, Hole: 4 } as const);

import { StatfsOut } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import { catchUp, type FileSystem } from './file-system.ts';

/** Both f_bsize and f_frsize: everything the pool hands out is a multiple of it. */
const BLOCK = 4096;

/** A path below the root, separators included, has at most this many bytes. */
const NAME_MAX = 79;

/**
 * STATFS: the pool's memory, and its log slots as inodes. What is quarantined is not free: it
 * counts as used until it has been given back.
 */
export function statfs(call: Call, fs: FileSystem): number {
  catchUp(fs);
  const usage = fs.index.usage();
  const free = Math.floor(usage.freeBytes / BLOCK);
  call.body(StatfsOut.size);
  call.put64(StatfsOut.blocks, Math.floor(usage.totalBytes / BLOCK));
  call.put64(StatfsOut.bfree, free);
  call.put64(StatfsOut.bavail, free);
  call.put64(StatfsOut.files, usage.slotsTotal);
  call.put64(StatfsOut.ffree, usage.slotsTotal - usage.slotsUsed);
  call.put32(StatfsOut.bsize, BLOCK);
  call.put32(StatfsOut.frsize, BLOCK);
  call.put32(StatfsOut.namelen, NAME_MAX);
  return Errno.OK;
}

import { EntryOut } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';
import { Errno } from '../protocol/errno.ts';
import { putEntry } from './attribute-replies.ts';
import { catchUp, type FileSystem } from './file-system.ts';
import { isLive } from './liveness.ts';

/**
 * LOOKUP: a name in a directory. A name that is not there may have been made by another host a
 * moment ago, so a miss counts only against an index that is current. The kernel gets ENOENT as an
 * error, not as a node id of 0: so it keeps no negative entry and asks again.
 */
export function lookup(call: Call, fs: FileSystem): number {
  const parent = call.nodeid;
  const name = call.name(0);
  if (name === undefined) return Errno.EINVAL;
  if (!isLive(fs, parent)) return Errno.ESTALE;
  let node = fs.index.lookup(parent, name);
  if (node === 0) {
    catchUp(fs);
    node = fs.index.lookup(parent, name);
    if (node === 0) return Errno.ENOENT;
  }
  call.body(EntryOut.size);
  putEntry(call, 0, fs, node);
  return Errno.OK;
}

import fs from 'node:fs';
import { unlock } from '../../src/famfs/device/libc.ts';

/**
 * Gives back the locks that this process has on a device: from then on others in this process are
 * to it as on another host, which sees the memory and no locks.
 */
export function dropLocks(device: string): void {
  for (const fd of fs.readdirSync('/proc/self/fd')) {
    try {
      if (fs.readlinkSync(`/proc/self/fd/${fd}`) === device) unlock(Number(fd));
    } catch {
      // the descriptor of the listing itself is closed again
    }
  }
}

import fs from 'node:fs';
import { famfsMountAt } from './mount.ts';

/** KiB that the kernel reads ahead where an application maps a file and goes through it; its own default is 128. */
const READ_AHEAD_KIB = 1024;

/**
 * Lets the kernel read ahead more on a mount: page faults of a mapped file then come in requests of 1 MiB.
 * INIT can only lower it. A container or user who may not change it has a slower first pass, no more.
 */
export function raiseReadAhead(directory: string): void {
  const mount = famfsMountAt(directory);
  if (mount === undefined) return;
  try {
    fs.writeFileSync(`/sys/class/bdi/${mount.deviceNumber}/read_ahead_kb`, String(READ_AHEAD_KIB));
  } catch {
    // slower, no more
  }
}

const PAGES_LIMIT = '/proc/sys/fs/fuse/max_pages_limit';
/** Of 1 MiB in a buffer that does not begin with a page; the kernel's own limit is 256. */
const PAGES = 257;

/**
 * Lets one request hold a read of 1 MiB into any buffer, instead of two; to be called before a mount. No more than that:
 * the limit is the host's, and other file systems make their buffers by it. As above, who may not has it slower, no more.
 */
export function raisePagesLimit(): void {
  try {
    if (Number(fs.readFileSync(PAGES_LIMIT, 'utf8')) < PAGES) fs.writeFileSync(PAGES_LIMIT, String(PAGES));
  } catch {
    // slower, no more; before Linux 6.13 there is no such limit to raise
  }
}

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
    fs.writeFileSync(`/sys/class/bdi/${mount.device}/read_ahead_kb`, String(READ_AHEAD_KIB));
  } catch {
    // as said
  }
}

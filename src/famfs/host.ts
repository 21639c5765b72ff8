import fs from 'node:fs';

/** Changes with every boot of this host, and is the same in all its containers. */
export function bootId(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Seconds since this host booted, time asleep included: the clock by which others are judged. */
export function uptime(): number {
  return Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
}

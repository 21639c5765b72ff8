import fs from 'node:fs';

/** A UUID in text. Changes with every boot of this host, and is the same in all its containers. */
export function bootId(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/**
 * Milliseconds since this host booted, time asleep included (CLOCK_BOOTTIME): the clock by which leases
 * and the silence of other hosts are judged. It moves in steps of 10 ms, and each look reads a file.
 */
export function uptimeMs(): number {
  return Math.round(Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000);
}

/** Milliseconds since this host booted, without time asleep (CLOCK_MONOTONIC): the same in all its processes, and cheap. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

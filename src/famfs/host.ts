import fs from 'node:fs';

let boot: string | undefined;
let uptimeFd: number | undefined;
const uptimeText = Buffer.alloc(64);

/** A UUID in text. Changes with every boot of this host, and is the same in all its containers. */
export function bootId(): string {
  return boot ??= fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/**
 * Milliseconds since this host booted, time asleep included (CLOCK_BOOTTIME): the clock by which leases
 * and the silence of other hosts are judged. It moves in steps of 10 ms, and each look reads a file, which stays
 * open: a process that has no descriptor left must not lose its lease by that.
 */
export function uptimeMs(): number {
  uptimeFd ??= fs.openSync('/proc/uptime', 'r');
  const length = fs.readSync(uptimeFd, uptimeText, 0, uptimeText.length, 0);
  return Math.round(Number(uptimeText.toString('latin1', 0, length).split(' ')[0]) * 1000);
}

/** Milliseconds since this host booted, without time asleep (CLOCK_MONOTONIC): the same in all its processes, and cheap. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

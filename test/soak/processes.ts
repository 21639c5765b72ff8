import { readdirSync, readFileSync } from 'node:fs';

/** What a process has of its machine. */
export interface Held {
  readonly pid: number;
  /** Anonymous memory that is resident, in bytes. */
  readonly rssAnon: number;
  readonly fds: number;
  readonly threads: number;
}

/** What a process holds at this moment; undefined when it is gone. */
export function heldBy(pid: number): Held | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
    const held = { pid, rssAnon: field('RssAnon') * 1024, fds: readdirSync(`/proc/${pid}/fd`).length, threads: field('Threads') };
    return Number.isNaN(held.rssAnon) ? undefined : held; // a zombie has no memory
  } catch {
    return undefined;
  }
}

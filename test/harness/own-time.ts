/**
 * What a test takes of its own: the time it would take on a quiet machine, whatever else runs here.
 *
 * A limit on a test's wall time would fail tests because a machine is busy or slow. So two things are
 * added up that other programs, and a slow processor, do not lengthen:
 *
 * - what the test's process calculated: its processor time, divided by how much slower than the machine
 *   that the limit was made for this one does a fixed calculation in this moment;
 * - what it slept: the time in which no processor of the machine did anything. It may have slept longer,
 *   beside others who worked; so much it did for certain.
 *
 * What a test's child processes calculate is not counted.
 */
import { readFileSync } from 'node:fs';

/** Processor time of the fixed calculation on the machine that limits are made for, in milliseconds. */
const USUAL_MS = 12;

/** The real one: tests may have a clock of their own. */
const now = performance.now.bind(performance);

/** Measures one test, from its making on. */
export class OwnTime {
  readonly #cpu = process.cpuUsage();
  readonly #wallMs = now();
  readonly #busyMs = busyMs();

  /** Milliseconds of its own so far. */
  get ms(): number {
    const wallMs = now() - this.#wallMs;
    // Threads that work side by side do not make it longer than it was.
    return Math.min(wallMs, this.#calculatedMs + sleptMs(wallMs, busyMs() - this.#busyMs));
  }

  /** Whether it has taken more than this of its own. */
  exceeds(limitMs: number): boolean {
    return now() - this.#wallMs > limitMs && this.ms > limitMs;
  }

  get #calculatedMs(): number {
    const ms = spentMs(this.#cpu);
    return ms / Math.max(1, slowness());
  }
}

/** How long all processors did nothing, when they worked `busy` altogether within `wall`, both in milliseconds. */
export function sleptMs(wall: number, busy: number): number {
  return Number.isNaN(busy) ? 0 : Math.max(0, wall - busy);
}

/** How often longer than usual the fixed calculation takes now: 1 is as fast as usual. */
function slowness(): number {
  const runs = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    calculate();
    return spentMs(before);
  });
  return Math.min(...runs) / USUAL_MS;
}

function calculate(): number {
  let sum = 1;
  for (let k = 0; k < 5_000_000; k++) sum = Math.imul(sum ^ k, 0x9e3779b1) ^ (sum >>> 15);
  return sum;
}

/** Processor time of this process, all its threads, since then. */
function spentMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Milliseconds that the machine's processors have worked since it booted; NaN where that is not told. */
function busyMs(): number {
  return parseBusyMs(readFileSync('/proc/stat', 'latin1'));
}

/** The same from the text of /proc/stat; waiting for a disk counts as work, and so does what a hypervisor took. */
export function parseBusyMs(text: string): number {
  const ticks = /^cpu +(.*)$/m.exec(text)?.[1].split(' ').map(Number) ?? [];
  const [user, nice, system, idle, ...others] = ticks;
  if (!(idle > 0)) return NaN; // some sandboxes tell zeros
  return (user + nice + system + others.slice(0, 4).reduce((sum, value) => sum + value, 0)) * 10;
}

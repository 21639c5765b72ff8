/** Whether a program that was started gets on with its work: on a busy machine a long time alone tells nothing. */
import { readdirSync, readFileSync } from 'node:fs';

/** Kernel's clock ticks in a second, as all of its interfaces count them. */
const TICKS = 100;
/** So much calculation is more than a runtime's housekeeping. */
const LEAST_TICKS = TICKS;

/** Notices that nothing was said and nothing calculated for a while. */
export class Progress {
  readonly #limitMs: number;
  #lastMs: number;
  #said = 0;
  #ticks = 0;

  /** Begins at `nowMs`; stands still when it does not move for `limitMs`. */
  constructor(limitMs: number, nowMs: number) {
    this.#limitMs = limitMs;
    this.#lastMs = nowMs;
  }

  /** Looks: bytes that it has said and clock ticks that it has calculated so far. Answers whether it stands still. */
  standsStill(said: number, ticks: number, nowMs: number): boolean {
    // A program that ends takes its ticks along, when its parent does not count them yet.
    const moves = said > this.#said || ticks - this.#ticks >= LEAST_TICKS || ticks < this.#ticks;
    if (moves) {
      this.#said = said;
      this.#ticks = ticks;
      this.#lastMs = nowMs;
    }
    return nowMs - this.#lastMs >= this.#limitMs;
  }
}

/** Clock ticks that a process, its children and theirs have calculated so far. */
export function calculatedTicks(pid: number): number {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(readStat).filter((stat) => stat !== undefined);
  const family = new Set([pid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const { id, parent } of all) {
      if (!family.has(parent) || family.has(id)) continue;
      family.add(id);
      grown = true;
    }
  }
  return all.filter(({ id }) => family.has(id)).reduce((sum, { ticks }) => sum + ticks, 0);
}

function readStat(id: string): { id: number; parent: number; ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the name may hold anything
    // Its own user and system time, then those of children that have ended.
    return { id: Number(id), parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) };
  } catch {
    return undefined; // it has ended
  }
}

import fs from 'node:fs';

/** A process: a pid alone is not a name. */
export interface ProcessName {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
}

/** Signal 9 in a set of signals. */
const SIGKILL_BIT = 1 << 8;

/*
 * A process that cannot be looked at, as where no descriptor is left, is not one that has ended: whoever takes it
 * for that lets another serve beside it, or gives its memory to others. So all of these throw then.
 */

/** Whether a process still runs. */
export function isAlive({ pid, startTime }: ProcessName): boolean {
  return startTimeOf(pid) === startTime;
}

/** When a process started, in clock ticks since boot; undefined when there is none, or a zombie. */
export function startTimeOf(pid: number): number | undefined {
  const { state, startTime } = statOf(pid);
  return state === 'Z' ? undefined : startTime;
}

/** Whether only the first thread of a process is left; it may be a zombie. False when it is gone. */
export function hasNoThreadsLeft({ pid, startTime }: ProcessName): boolean {
  return statOf(pid).startTime === startTime && taskCount(pid) === 1; // the first thread can be a zombie before the others
}

function statOf(pid: number): { readonly state?: string; readonly startTime?: number } {
  const stat = unlessGone(() => fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat === undefined) return {};
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name may hold anything
  return { state: fields[0]!, startTime: Number(fields[19]) };
}

/** Whether a process has been killed, even if it cannot end yet. */
export function isKilled(pid: number): boolean {
  const status = unlessGone(() => fs.readFileSync(`/proc/${pid}/status`, 'latin1')) ?? '';
  const pending = status.matchAll(/^S\w+Pnd:\s*([0-9a-f]+)$/gm);
  return [...pending].some(([, signals]) => (parseInt(signals.slice(-8), 16) & SIGKILL_BIT) !== 0);
}

/** Threads of a process; 0 when it is gone. */
export function taskCount(pid: number): number {
  return unlessGone(() => fs.readdirSync(`/proc/${pid}/task`))?.length ?? 0;
}

/** What is read of a process; undefined when it is gone, also when it goes while it is read. */
function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** In which namespace this process's pids mean something. */
export function pidNamespace(): string {
  return fs.readlinkSync('/proc/self/ns/pid');
}

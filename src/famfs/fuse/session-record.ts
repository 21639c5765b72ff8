import fs from 'node:fs';
import path from 'node:path';
import type { SessionRecord } from './messages.ts';

/**
 * The sessions of a host, one small file each below its host directory (tmpfs): what a service that
 * was restarted needs in order to find those that serve.
 */
const recordFile = (hostDirectory: string, pid: number) => path.join(hostDirectory, 'sessions', `${pid}.json`);

/** The counters of a session, in a file beside its record, by its supervisor. */
export function countersFile(hostDirectory: string, supervisor: number): string {
  return path.join(hostDirectory, 'sessions', `${supervisor}.counters`);
}

/** Signal 9 in a set of signals. */
const SIGKILL_BIT = 1 << 8;

/** Writes the record of the calling supervisor. */
export function writeRecord(record: SessionRecord): void {
  const file = recordFile(record.hostDirectory, record.pid);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.new`, JSON.stringify(record));
  fs.renameSync(`${file}.new`, file);
}

/** Removes what a session leaves: its record and its counters. */
export function removeRecord(hostDirectory: string, pid: number): void {
  fs.rmSync(recordFile(hostDirectory, pid), { force: true });
  fs.rmSync(countersFile(hostDirectory, pid), { force: true });
}

/** The records whose supervisors live. */
export function livingRecords(hostDirectory: string): SessionRecord[] {
  return servingRecords(hostDirectory).filter(isAlive);
}

/**
 * The records of sessions of which a process lives: the child of a supervisor that has died may serve
 * on. What the dead left is removed.
 */
export function servingRecords(hostDirectory: string): SessionRecord[] {
  const directory = path.join(hostDirectory, 'sessions');
  const serving: SessionRecord[] = [];
  for (const name of fs.existsSync(directory) ? fs.readdirSync(directory) : []) {
    if (!name.endsWith('.json')) continue;
    const record = readRecord(path.join(directory, name));
    if (record !== undefined && (isAlive(record) || (record.child !== undefined && isAlive(record.child)))) serving.push(record);
    else removeRecord(hostDirectory, Number.parseInt(name, 10));
  }
  return serving;
}

/** Whether a process still runs. */
export function isAlive({ pid, startTime }: Pick<SessionRecord, 'pid' | 'startTime'>): boolean {
  return startTimeOf(pid) === startTime;
}

/** When a process started, in clock ticks since boot; undefined when there is none, or a zombie. */
export function startTimeOf(pid: number): number | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name may hold anything
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

/** Whether a process has been killed, even if it cannot end yet. */
export function isKilled(pid: number): boolean {
  try {
    const pending = fs.readFileSync(`/proc/${pid}/status`, 'latin1').matchAll(/^S\w+Pnd:\s*([0-9a-f]+)$/gm);
    return [...pending].some(([, signals]) => (parseInt(signals.slice(-8), 16) & SIGKILL_BIT) !== 0);
  } catch {
    return false;
  }
}

function readRecord(file: string): SessionRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as SessionRecord;
  } catch {
    return undefined;
  }
}

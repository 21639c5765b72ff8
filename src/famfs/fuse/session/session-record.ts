import fs from 'node:fs';
import path from 'node:path';
import { makePrivateFolder } from '../../private-folder.ts';
import type { BadRange } from '../host-state/bad-ranges.ts';
import { countersFile } from '../host-state/counters-file.ts';
import { noSpaceFor } from '../host-state/host-file.ts';
import { famfsMountAt } from '../mount/mount.ts';
import type { Agreement } from '../protocol/init.ts';
import { fewProblems, type SessionConfig } from '../serving/messages.ts';
import { isAlive, pidNamespace, type ProcessName } from './processes.ts';
import type { ServedPool } from './served-pool.ts';
import { isServed, sessionLockFile, supervisorLockFile } from './session-lock.ts';

/**
 * A session, as its record file tells it: a persisted format, whose fields keep their names. `pid` and
 * `startTime` are the supervisor's.
 */
export interface SessionRecord extends SessionConfig, ProcessName, ServedPool {
  readonly version: number;
  /** Where the pids of this record mean something. */
  readonly pidNamespace: string;
  /** The serving child, which may outlive its supervisor. */
  readonly child: ProcessName;
  /** The mount, by its device number `major:minor`. */
  readonly mount: string;
  readonly agreement: Agreement;
  /** What is wrong with the pool: the first few in words. */
  readonly problems: readonly string[];
  /** How many there are. Versions before this one told all in words, and no number. */
  readonly problemCount?: number;
  /** What this kernel lacks. */
  readonly limitations: readonly string[];
  /** What was the end of two serving processes: answered EIO since. */
  readonly bad: readonly BadRange[];
}

/**
 * The sessions of a host, one small file each below its host directory (tmpfs): what a service that
 * was restarted needs in order to find those that serve, and to go on with those that nobody serves.
 * Whoever looks for sessions here gets all of them or an error, never a part: a session that is missed
 * counts as ended, and its host as having let go of what it still uses.
 */
const recordFile = (hostDirectory: string, id: string) => path.join(hostDirectory, 'sessions', `${id}.json`);

/** Writes the record of the calling supervisor. Throws FamfsError NO_SPACE. */
export function writeRecord(record: SessionRecord): void {
  const file = recordFile(record.hostDirectory, record.id);
  makePrivateFolder(path.dirname(file));
  const bytes = Buffer.from(JSON.stringify(record));
  try {
    fs.writeFileSync(`${file}.new`, bytes, { mode: 0o600 });
  } catch (error) {
    fs.rmSync(`${file}.new`, { force: true });
    throw noSpaceFor(`${file}.new`, bytes.length, error);
  }
  fs.renameSync(`${file}.new`, file);
}

/** The record of one session, or undefined. */
export function findRecord(hostDirectory: string, id: string): SessionRecord | undefined {
  return readRecord(recordFile(hostDirectory, id));
}

/** Removes what a session leaves: its record, its counters and its lock. */
export function removeRecord(hostDirectory: string, id: string): void {
  for (const file of [recordFile, countersFile, sessionLockFile, supervisorLockFile]) fs.rmSync(file(hostDirectory, id), { force: true });
}

/** The sessions of which a process lives, in any container. */
export function servedRecords(hostDirectory: string): SessionRecord[] {
  return allRecords(hostDirectory).filter(hasProcess);
}

/** As `servedRecords`, and those that nobody serves now but whose mounts are there: somebody may go on with them. */
export function servedOrMountedRecords(hostDirectory: string): SessionRecord[] {
  return allRecords(hostDirectory).filter((record) => hasProcess(record) || famfsMountAt(record.directory)?.deviceNumber === record.mount);
}

/** The sessions whose supervisors live, as far as this process can see them. */
export function supervisedRecords(hostDirectory: string): SessionRecord[] {
  return allRecords(hostDirectory).filter(isSupervised);
}

/** The sessions without a supervisor that this process can see. A child may serve on, or another container. */
export function unsupervisedRecords(hostDirectory: string): SessionRecord[] {
  return allRecords(hostDirectory).filter((record) => !isSupervised(record));
}

/** Removes what sessions have left of which no process lives, but for those kept. */
export function removeDead(hostDirectory: string, kept: (record: SessionRecord) => boolean = () => false): void {
  for (const record of allRecords(hostDirectory)) {
    if (!kept(record) && !hasProcess(record)) removeRecord(hostDirectory, record.id);
  }
}

/** By its lock, or, where that is to be taken in a moment, by its pids. */
function hasProcess(record: SessionRecord): boolean {
  const { hostDirectory, id, child } = record;
  return isServed(hostDirectory, id) || isSupervised(record) || (record.pidNamespace === pidNamespace() && isAlive(child));
}

/** Whether a session's supervisor is in this process's namespace of pids, and lives. */
export function isSupervised(record: SessionRecord): boolean {
  return record.pidNamespace === pidNamespace() && isAlive(record);
}

function allRecords(hostDirectory: string): SessionRecord[] {
  const directory = path.join(hostDirectory, 'sessions');
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  return names.filter((name) => name.endsWith('.json')).flatMap((name) => readRecord(path.join(directory, name)) ?? []);
}

/** Undefined for what is just going, and for what another version of this program has left. */
function readRecord(file: string): SessionRecord | undefined {
  const text = readIfPresent(file);
  try {
    const record = text === undefined ? undefined : JSON.parse(text) as SessionRecord;
    if (record?.version !== RECORD_VERSION || record.id !== path.basename(file, '.json')) return undefined;
    return { ...record, ...fewProblems(record) };
  } catch {
    return undefined;
  }
}

function readIfPresent(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of the record's fields. */
export const RECORD_VERSION = 1;

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError, messageOf } from '../../errors.ts';
import { moduleFile } from '../../module-file.ts';
import { famfsMountAt, unmountFuse } from '../mount/mount.ts';
import type { SessionConfig } from '../serving/messages.ts';
import { fdStoreSocket } from './fd-store.ts';
import { isAlive } from './processes.ts';
import { type SessionRecord, supervisedRecords } from './session-record.ts';
import { RESUME, type SupervisorMessage } from './supervisor-message.ts';

/** How a session ended: by an unmount, or with a failure. */
export interface SessionEnd {
  readonly failure?: string;
}

export interface MountOptions {
  /** Path of the pool's device. */
  readonly device: string;
  /** An existing directory to mount on. */
  readonly directory: string;
  /** Where this host keeps what must outlive a process: on tmpfs, e.g. /run/famfs-csi. */
  readonly hostDirectory: string;
  readonly readOnly?: boolean;
  /** Aborting ends the session: before it serves at once, later by an unmount, unless it is in use. */
  readonly signal?: AbortSignal;
  /** How long requests wait when serving processes end one after the other; then the session is over. */
  readonly gracePeriodMs?: number;
  /** Whether the host's fd store is to keep /dev/fuse too, so that the session outlives its supervisor. */
  readonly inFdStore?: boolean;
  /** An open file for what the session's processes report; by default our own standard error. */
  readonly output?: number;
}

/** Long enough for a machine that is out of memory for a moment, and shorter than people wait. */
const GRACE_PERIOD_MS = 60_000;
/** How long after an unmount the processes of a session may take to end. */
const END_MS = 5000;
const POLL_MS = 100;

/** A mounted pool: its supervisor runs as a process of its own and may outlive this one. */
export class Session {
  readonly record: SessionRecord;
  /** Resolves when the session's processes have ended. */
  readonly closed: Promise<SessionEnd>;
  readonly #detach: () => void;

  constructor(record: SessionRecord, closed: Promise<SessionEnd>, detach: () => void) {
    this.record = record;
    this.closed = closed;
    this.#detach = detach;
  }

  /** Its name on this host, whoever serves it. */
  get id(): string {
    return this.record.id;
  }

  get poolUuid(): string {
    return this.record.poolUuid;
  }

  /** Where the pool is mounted. */
  get directory(): string {
    return this.record.directory;
  }

  /** The supervisor's. */
  get pid(): number {
    return this.record.pid;
  }

  /** What the replay found wrong in the pool: the first few, in words. */
  get problems(): readonly string[] {
    return this.record.problems;
  }

  /** How many things those are. */
  get problemCount(): number {
    return this.record.problemCount ?? this.record.problems.length;
  }

  /**
   * Unmounts and waits for the processes to end. Throws FamfsError IN_USE when something is open
   * below. Where other mounts of the same file system remain, it goes on serving those.
   */
  async unmount(): Promise<void> {
    await unmountFuse(this.directory);
    await Promise.race([this.closed, sleep(END_MS, undefined, { ref: false })]);
  }

  /** Lets this process end while the session goes on. */
  detach(): void {
    this.#detach();
  }
}

/**
 * Mounts a pool, and resolves when it serves. Throws FamfsError: DEVICE, NOT_FAMFS, DAMAGED,
 * UNSUPPORTED, READ_ONLY, INVALID (the directory), IN_USE (something of ours is mounted there).
 */
export async function mountPool(options: MountOptions): Promise<Session> {
  options.signal?.throwIfAborted();
  const hostDirectory = path.resolve(options.hostDirectory);
  const config: SessionConfig = {
    id: randomUUID(),
    device: path.resolve(options.device),
    directory: mountDirectory(options.directory),
    hostDirectory,
    readOnly: options.readOnly ?? false,
    patienceMs: options.gracePeriodMs ?? GRACE_PERIOD_MS,
    ...(options.inFdStore ? { holder: fdStoreSocket(hostDirectory) } : {}),
  };
  return supervise(config, [], options);
}

/**
 * Goes on with a session whose supervisor has died, by way of the host's fd store, and resolves when it
 * serves again; requests have waited meanwhile. Throws FamfsError: NOT_FOUND when no store has it or
 * it is mounted no longer, IN_USE while processes of another container serve it.
 */
export async function resumeSession(record: SessionRecord): Promise<Session> {
  const { id, device, directory, hostDirectory, readOnly, patienceMs, holder } = record;
  if (holder === undefined) throw new FamfsError('NOT_FOUND', `session ${id} of ${directory} is not held by anybody`);
  const config: SessionConfig = { id, device, directory, hostDirectory, readOnly, patienceMs, holder };
  return supervise(config, [RESUME], {});
}

/** Starts a supervisor with a configuration and further arguments, and resolves when its session serves. */
async function supervise(config: SessionConfig, args: readonly string[], { signal, output = 2 }: Pick<MountOptions, 'signal' | 'output'>): Promise<Session> {
  const supervisor = spawn(process.execPath, [moduleFile(import.meta.url, 'supervisor'), JSON.stringify(config), ...args], {
    stdio: ['ignore', output, output, 'ipc'],
    detached: true, // a session of its own: a terminal's signals are not for it
    cwd: '/', // nor shall it keep a directory busy
  });

  let failure: string | undefined;
  const closed = new Promise<SessionEnd>((resolve) => {
    supervisor.once('exit', (code, killer) => {
      if (code === 0) return resolve({});
      resolve({ failure: failure ?? `the supervisor ended by ${killer ?? `exit code ${code}`}` });
    });
  });
  const abort = () => supervisor.kill('SIGTERM');
  signal?.addEventListener('abort', abort, { once: true });
  supervisor.once('exit', () => signal?.removeEventListener('abort', abort));

  const record = await new Promise<SessionRecord>((resolve, reject) => {
    supervisor.on('message', (message: SupervisorMessage) => {
      if (message.type === 'serving') return resolve(message.record);
      failure = message.message;
      if (signal?.aborted) reject(signal.reason as Error);
      reject(new FamfsError(message.code, message.message));
    });
    supervisor.once('error', reject);
    closed.then((end) => {
      if (signal?.aborted) reject(signal.reason as Error);
      reject(new FamfsError('DEVICE', end.failure ?? 'the session ended before it served'));
    }, reject);
  });
  return new Session(record, closed, () => {
    supervisor.unref();
    if (supervisor.connected) supervisor.disconnect();
  });
}

/** The sessions of a host directory that serve, whoever started them. */
export function findSessions(hostDirectory: string): Session[] {
  return supervisedRecords(hostDirectory).map((record) => new Session(record, ended(record), () => {}));
}

/**
 * The end of a process that is not our child is not reported: look for it. A supervisor that was killed
 * leaves its mount, and its child goes on serving it.
 */
async function ended(record: SessionRecord): Promise<SessionEnd> {
  for (;;) {
    try {
      if (!isAlive(record)) return famfsMountAt(record.directory) === undefined ? {} : { failure: `supervisor ${record.pid} has died` };
    } catch {
      // It cannot be told now, for want of descriptors for instance: it may be another time.
    }
    await sleep(POLL_MS, undefined, { ref: false });
  }
}

function mountDirectory(directory: string): string {
  let real: string;
  try {
    real = fs.realpathSync(directory);
  } catch (error) {
    throw new FamfsError('INVALID', `${directory}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such directory' : messageOf(error)}`);
  }
  if (famfsMountAt(real) !== undefined) throw new FamfsError('IN_USE', `${real}: a famfs pool is mounted there already`);
  if (!fs.statSync(real).isDirectory()) throw new FamfsError('INVALID', `${directory} is not a directory`);
  return real;
}

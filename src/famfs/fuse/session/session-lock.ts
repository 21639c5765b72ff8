/**
 * Two file locks say who lives, whatever container they are in: a pid means nothing in another one.
 *   - The session's lock is shared by its supervisor and its serving children, which inherit the open
 *     file. It is free when the last of them has ended. So who takes it knows that no worker is left:
 *     nobody serves, and no deletion is acknowledged, beside workers that live.
 *   - The supervisor's lock belongs to one supervisor alone, so that two never go on with one session.
 * Example: a supervisor is killed and its child serves on. The supervisor's lock is free, the session's
 * is not. The next supervisor takes the first, kills the child, and serves when it has the second.
 */
import fs from 'node:fs';
import path from 'node:path';
import { tryLock } from '../../device/libc.ts';
import { makePrivateFolder } from '../../private-folder.ts';

const RETRY_MS = 100;

/** The session's lock: see above. */
export class SessionLock {
  readonly fd: number;
  #isHeld = false;

  /** Opens the lock of a session without taking it. `fd` is to be inherited by its children. */
  constructor(hostDirectory: string, id: string) {
    const file = sessionLockFile(hostDirectory, id);
    makePrivateFolder(path.dirname(file));
    this.fd = fs.openSync(file, 'a', 0o600);
  }

  /** Takes the lock, unless processes of an earlier supervisor live; answers whether it is held now. */
  take(): boolean {
    this.#isHeld ||= tryLock(this.fd, 'exclusive');
    return this.#isHeld;
  }

  /** Takes the lock, now or as soon as the last process that has it has ended: one may be stuck for a moment. */
  takeWhenFree(): void {
    if (this.take()) return;
    const timer = setInterval(() => {
      if (this.take()) clearInterval(timer);
    }, RETRY_MS).unref();
  }
}

/** The supervisor's lock: see above. */
export class SupervisorLock {
  readonly #fd: number;

  constructor(hostDirectory: string, id: string) {
    const file = supervisorLockFile(hostDirectory, id);
    makePrivateFolder(path.dirname(file));
    this.#fd = fs.openSync(file, 'a', 0o600);
  }

  /** Whether there is no other supervisor; then this process is it until it ends. */
  take(): boolean {
    return tryLock(this.#fd, 'exclusive');
  }
}

export function supervisorLockFile(hostDirectory: string, id: string): string {
  return path.join(hostDirectory, 'sessions', `${id}.supervisor`);
}

export function sessionLockFile(hostDirectory: string, id: string): string {
  return path.join(hostDirectory, 'sessions', `${id}.lock`);
}

/** Whether a process of the session lives, here or in another container. Throws where that cannot be told now. */
export function isServed(hostDirectory: string, id: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(sessionLockFile(hostDirectory, id), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    return !tryLock(fd, 'shared'); // closing gives it back
  } finally {
    fs.closeSync(fd);
  }
}

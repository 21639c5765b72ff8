import fs from 'node:fs';
import path from 'node:path';
import { tryLock } from '../../device/libc.ts';

const RETRY_MS = 100;

/**
 * What says that a session has a living process, whatever container it is in: a file lock that its
 * supervisor and serving children share, and that ends with the last of them.
 */
export class SessionLock {
  readonly fd: number;
  #isHeld = false;

  /** Opens the lock of a session without taking it. `fd` is to be inherited by its children. */
  constructor(hostDirectory: string, id: string) {
    const file = lockFile(hostDirectory, id);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.fd = fs.openSync(file, 'a', 0o600);
  }

  /** Takes it, unless processes of an earlier supervisor live; whether it is held now. */
  take(): boolean {
    this.#isHeld ||= tryLock(this.fd, 'exclusive');
    return this.#isHeld;
  }

  /** Takes it as soon as the last process that has it has ended, which may be stuck for a moment. */
  takeWhenFree(): void {
    if (this.take()) return;
    const timer = setInterval(() => {
      if (this.take()) clearInterval(timer);
    }, RETRY_MS).unref();
  }
}

/** What a session's supervisor alone has, so that two of them never go on with it at once. */
export class SupervisorLock {
  readonly #fd: number;

  constructor(hostDirectory: string, id: string) {
    const file = supervisorLockFile(hostDirectory, id);
    fs.mkdirSync(path.dirname(file), { recursive: true });
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

export function lockFile(hostDirectory: string, id: string): string {
  return path.join(hostDirectory, 'sessions', `${id}.lock`);
}

/** Whether a process of the session lives, here or in another container. */
export function isServed(hostDirectory: string, id: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(lockFile(hostDirectory, id), 'r');
  } catch {
    return false;
  }
  try {
    return !tryLock(fd, 'shared'); // closing gives it back
  } finally {
    fs.closeSync(fd);
  }
}

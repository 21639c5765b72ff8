import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../../errors.ts';
import { hasNoThreadsLeft, isAlive, pidNamespace } from './processes.ts';
import type { ReplacedProcess } from './serving-process.ts';
import { type SessionLock, SupervisorLock } from './session-lock.ts';
import type { SessionRecord } from './session-record.ts';

const POLL_MS = 5;

/** The serving child of a supervisor that has died, as the next supervisor sees it. It may be gone, too. */
export class Orphan implements ReplacedProcess {
  readonly #record: SessionRecord;
  readonly #lock: SessionLock;

  constructor(record: SessionRecord, lock: SessionLock) {
    this.#record = record;
    this.#lock = lock;
  }

  /**
   * Takes the session's locks, so that nobody else can go on with it. That waits for other supervisors,
   * and for processes of another container: they cannot be killed from here, and end with it. Throws
   * FamfsError IN_USE when they serve on for so long: then they are not to be disturbed.
   */
  async takeLocks(withinMs: number): Promise<void> {
    const { id, directory, hostDirectory } = this.#record;
    const deadline = performance.now() + withinMs;
    const supervisors = new SupervisorLock(hostDirectory, id);
    while (!supervisors.take() || (!this.#isOurs && !this.#lock.take())) {
      if (performance.now() > deadline) throw new FamfsError('IN_USE', `session ${id} of ${directory} is still served by others`);
      await sleep(POLL_MS);
    }
  }

  kill(): void {
    const { child } = this.#record;
    if (this.#isOurs && isAlive(child)) process.kill(child.pid, 'SIGKILL');
  }

  async workersGone(): Promise<void> {
    // Not only the child of the record: one that it does not name yet has the lock, too.
    while (!this.#lock.take()) {
      if (this.#isOurs && hasNoThreadsLeft(this.#record.child)) return this.#lock.takeWhenFree();
      await sleep(POLL_MS);
    }
  }

  /** Whether its pid is of our namespace: then we can see the process, and kill it. */
  get #isOurs(): boolean {
    return this.#record.pidNamespace === pidNamespace();
  }
}

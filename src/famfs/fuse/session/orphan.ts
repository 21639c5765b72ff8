import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../../errors.ts';
import { hasNoThreadsLeft, isAlive, pidNamespace } from './processes.ts';
import type { Predecessor } from './serving-process.ts';
import { type SessionLock, SupervisorLock } from './session-lock.ts';
import type { SessionRecord } from './session-record.ts';

const POLL_MS = 5;

/** The serving child of a supervisor that has died, as the next supervisor sees it. It may be gone, too. */
export class Orphan implements Predecessor {
  readonly #record: SessionRecord;
  readonly #lock: SessionLock;

  constructor(record: SessionRecord, lock: SessionLock) {
    this.#record = record;
    this.#lock = lock;
  }

  /**
   * Waits for other supervisors, and for the processes of another container, which only its end can
   * end. Throws FamfsError IN_USE when they serve on: then they are not to be disturbed.
   */
  async leftByOthers(withinMs: number): Promise<void> {
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
    // A child that the record does not name has the lock, too.
    while (!this.#lock.take()) {
      if (this.#isOurs && hasNoThreadsLeft(this.#record.child)) return this.#lock.takeWhenFree();
      await sleep(POLL_MS);
    }
  }

  /** Whether its pid means something here. */
  get #isOurs(): boolean {
    return this.#record.pidNamespace === pidNamespace();
  }
}

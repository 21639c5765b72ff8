import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../errors.ts';
import type { SessionRecord } from './messages.ts';
import { isAlive, pidNamespace, taskCount } from './processes.ts';
import type { Predecessor } from './serving-process.ts';
import type { SessionLock } from './session-lock.ts';

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
   * Waits for the processes of another container, which only its end can end. Throws FamfsError IN_USE
   * when they serve on: then they are not to be disturbed.
   */
  async leftByOthers(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!this.#isOurs && !this.#lock.take()) {
      if (performance.now() > deadline) {
        throw new FamfsError('IN_USE', `session ${this.#record.id} of ${this.#record.directory} is still served by another container`);
      }
      await sleep(POLL_MS);
    }
  }

  kill(): void {
    const { child } = this.#record;
    if (this.#isOurs && isAlive(child)) process.kill(child.pid, 'SIGKILL');
  }

  async workersGone(): Promise<void> {
    const { child } = this.#record;
    while (this.#isOurs && isAlive(child) && taskCount(child.pid) > 1) await sleep(POLL_MS);
    this.#lock.takeWhenFree();
  }

  /** Whether its pid means something here. */
  get #isOurs(): boolean {
    return this.#record.pidNamespace === pidNamespace();
  }
}

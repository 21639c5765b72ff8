import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostProcesses } from '../faults/host-processes.ts';
import { type Blow, blows } from '../faults/survival.ts';
import type { Random } from '../fuzz/random.ts';
import { until } from '../support/until.ts';

/** What is done by turns. */
const TURNS: readonly Blow[] = ['killed', 'upgraded', 'orphaned', 'swept away'];
/** How long a serving process lives at most in a storm. */
const LONGEST_LIFE_MS = 8000;

/** Takes serving processes from a session, and counts them. */
export class Blows {
  readonly given: Record<Blow, number> = { killed: 0, upgraded: 0, orphaned: 0, 'swept away': 0 };
  readonly #host: HostProcesses;
  readonly #random: Random;

  constructor(host: HostProcesses, random: Random) {
    this.#host = host;
    this.#random = random;
  }

  get total(): number {
    return Object.values(this.given).reduce((total, count) => total + count, 0);
  }

  /** One after the other, until `ended`; the last one has been replaced then. */
  async storm(ended: () => boolean): Promise<void> {
    for (;;) {
      await sleep(this.#random.below(LONGEST_LIFE_MS));
      if (ended()) return;
      const { supervisor, child } = this.#host.processes;
      const blow = TURNS[this.total % TURNS.length];
      blows[blow]({ supervisor, child });
      this.given[blow]++;
      await until(async () => {
        const { serving } = this.#host;
        assert.ok(serving.length === 1 && serving[0] !== child, `${child}, ${blow}, has not been replaced: ${serving.join(', ')}`);
        assert.equal(await this.#host.total('famfs_session_restarts_total'), this.total);
      });
    }
  }
}

/** Writers in the test's own process whose hearts beat when the test waits for them, and not each second. */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_MS = 1000;
const BEATS = 500;

/** For the tests of a suite, `setInterval` runs by a clock that `until` turns; everything else keeps its time. */
export function heartbeats(): { until: (check: () => boolean) => Promise<void> } {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());
  return {
    /** Lets hearts beat until it is so. */
    async until(check) {
      for (let beats = 0; beats < BEATS && !check(); beats++) {
        mock.timers.tick(BEAT_MS);
        await sleep(10); // for what else is to happen meanwhile
      }
      assert.ok(check());
    },
  };
}

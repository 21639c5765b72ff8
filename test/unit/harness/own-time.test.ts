import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { OwnTime, parseBusyMs, sleptMs } from '../../harness/own-time.ts';

describe("a test's own time", () => {
  it('is read from the work of all processors, idle ones left out', () => {
    const text = 'cpu  10 20 30 4000 50 6 7 8 900 900\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
    assert.equal(parseBusyMs(text), (10 + 20 + 30 + 50 + 6 + 7 + 8) * 10);
    assert.ok(Number.isNaN(parseBusyMs('cpu  0 0 0 0 0 0 0 0 0 0\n')), 'where nothing is told');
  });

  it('counts as slept only when nobody worked', () => {
    assert.equal(sleptMs(3000, 200), 2800);
    assert.equal(sleptMs(3000, 3500), 0, 'two processors worked');
    assert.equal(sleptMs(3000, NaN), 0, 'nobody knows');
  });

  it('does not exceed a limit that the wall time does not', async () => {
    const own = new OwnTime();
    await sleep(20);
    assert.ok(!own.exceeds(60_000));
    assert.ok(own.ms >= 0);
  });

  it('has what was calculated in it', () => {
    const own = new OwnTime();
    for (const { user } = process.cpuUsage(); process.cpuUsage().user - user < 100_000;);
    assert.ok(own.exceeds(1));
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { calculatedTicks, Progress } from '../../cluster/progress.ts';

describe('progress of a program', () => {
  it('is what it says', () => {
    const progress = new Progress(1000, 0);
    assert.ok(!progress.standsStill(5, 0, 999));
    assert.ok(!progress.standsStill(5, 0, 1998), 'it has spoken at 999');
    assert.ok(!progress.standsStill(6, 0, 1999), 'and again');
    assert.ok(progress.standsStill(6, 0, 2999));
  });

  it('is what it calculates, but for next to nothing', () => {
    const progress = new Progress(1000, 0);
    for (let second = 1; second < 100; second++) assert.ok(!progress.standsStill(0, 100 * second, 1000 * second - 1));
    assert.ok(progress.standsStill(0, 100 * 99 + 99, 1000 * 100));
  });

  it('goes on when a program of it has ended, with all that it had calculated', () => {
    const progress = new Progress(1000, 0);
    assert.ok(!progress.standsStill(0, 5000, 500));
    assert.ok(!progress.standsStill(0, 10, 1499));
    assert.ok(!progress.standsStill(0, 10, 2498));
    assert.ok(progress.standsStill(0, 10, 2499));
  });

  it('is that of all that a program has started', async () => {
    const child = spawn('sh', ['-c', `sh -c 'k=0; while [ $k -lt 200000 ]; do k=$((k+1)); done; echo done; read wait'; :`], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    assert.ok(calculatedTicks(child.pid!) > 0);
    child.stdin.end();
    await once(child, 'close');
    assert.equal(calculatedTicks(child.pid!), 0);
  });
});

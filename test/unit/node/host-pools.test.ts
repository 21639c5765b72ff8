import assert from 'node:assert/strict';
import { silentLog } from '../../../src/csi/log.ts';
import { Health } from '../../../src/metrics/health.ts';
import { HostPools } from '../../../src/node/host-pools.ts';

describe('pools of a host', () => {
  /** What the data plane answers, one after the other; the last one for ever. Undefined: it is away. */
  function scripted(...answers: (string[] | undefined)[]) {
    const health = new Health();
    let asked = 0;
    const plane = {
      pools: async () => {
        const answer = answers[Math.min(asked++, answers.length - 1)];
        if (answer === undefined) throw new Error('connection refused');
        return answer;
      },
    };
    return { health, pools: new HostPools({ plane, health, log: silentLog(), pollMs: 1 }), asked: () => asked };
  }

  /** Watches for as many looks as there are answers, and some more. */
  async function changes(...answers: (string[] | undefined)[]): Promise<string[]> {
    const { pools, asked } = scripted(...answers);
    await pools.report();
    const told: string[] = [];
    pools.watch(async (now) => void told.push(now.join()));
    while (asked() < answers.length + 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await pools.stop();
    return told;
  }

  it('are waited for', async () => {
    const { pools, health } = scripted(undefined, [], ['a']);
    assert.deepEqual(await pools.waitForFirst(async () => false, new AbortController().signal), ['a']);
    assert.deepEqual(health.obstacles, []);
  });

  it('are not waited for where volumes are staged that somebody has to unstage', async () => {
    const { pools } = scripted(undefined, []);
    assert.deepEqual(await pools.waitForFirst(async () => true, new AbortController().signal), []);
  });

  it('are waited for until the plugin is to end', async () => {
    const { pools, health } = scripted([]);
    const ending = new AbortController();
    const first = pools.waitForFirst(async () => false, ending.signal);
    setImmediate(() => ending.abort());
    await assert.rejects(first, { name: 'AbortError' });
    assert.deepEqual(health.obstacles, [], 'a host without a pool is no fault');
  });

  it('are those known last while the data plane is away', async () => {
    const { pools, health } = scripted(['a', 'b'], undefined);
    assert.deepEqual(await pools.report(), ['a', 'b']);
    assert.deepEqual(await pools.report(), ['a', 'b']);
    assert.deepEqual(health.obstacles, ['data plane: it does not answer: connection refused']);
  });

  it('have changed when they are others twice in a row', async () => {
    assert.deepEqual(await changes(['a'], ['a'], ['a', 'b'], ['a', 'b']), ['a,b']);
    assert.deepEqual(await changes(['a'], [], []), ['']);
  });

  it('have not changed by one odd look, or by none', async () => {
    assert.deepEqual(await changes(['a'], ['a', 'b'], ['a'], ['a']), []);
    assert.deepEqual(await changes(['a'], undefined, undefined, ['a']), []);
    assert.deepEqual(await changes(['a'], ['b'], undefined, ['b'], ['a']), []);
  });

  it('are told again when telling failed', async () => {
    const { pools } = scripted(['a'], ['b']);
    await pools.report();
    let tries = 0;
    await new Promise<void>((resolve) => pools.watch(async () => {
      if (++tries === 1) throw new Error('not now');
      resolve();
    }));
    await pools.stop();
    assert.equal(tries, 2);
  });
});

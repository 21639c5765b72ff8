/** Hosts that are stopped for minutes, or at any moment of their work, while their volumes are deleted. */
import { apart } from '../faults/apart.ts';
import { randomFor } from '../faults/seed.ts';
import { evictWrongly, returnLate, stopAtWork } from '../faults/stale.ts';
import { Parts } from './parts.ts';

const HELD_MS = 120_000;
const ROUNDS = 60;

/** Whether no host that was late ever read or changed what is another volume's. */
export function run(): Promise<boolean> {
  return apart('stale', async () => {
    const parts = new Parts();
    for (const what of ['child', 'data plane'] as const) {
      await parts.tell(`${what} stopped`, async () => {
        await returnLate(what, HELD_MS);
        return `memory held for ${HELD_MS / 1000} s, then ESTALE for a waiting read, later reads and a late write-back`;
      });
      await parts.tell(`${what} stopped, and evicted by mistake`, async () => {
        await evictWrongly(what);
        return 'memory came back without it, then ESTALE for it';
      });
    }
    await parts.tell('stopped at work', async () => {
      const { rounds, good, gone } = await stopAtWork(ROUNDS, randomFor('stop at work'));
      return `${rounds} times, ${good} blocks as they should be, ${gone} calls that got ESTALE, none another volume's`;
    });
    return parts.sound;
  });
}

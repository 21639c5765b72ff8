/** Processes of a session that are killed and upgraded under applications that compare what they read. */
import { apart } from '../faults/apart.ts';
import { randomFor } from '../faults/seed.ts';
import { type Blow, survive } from '../faults/survival.ts';
import { Parts } from './parts.ts';

const TIMES: Readonly<Record<Blow, number>> = { killed: 200, upgraded: 50, orphaned: 20, 'swept away': 20 };

/** Whether no application got an error, or other bytes than were written. */
export function run(): Promise<boolean> {
  return apart('survival', async () => {
    const parts = new Parts();
    for (const [blow, times] of Object.entries(TIMES) as [Blow, number][]) {
      await parts.tell(blow, async () => {
        const { operations, longestMs, longestRow } = await survive(blow, times, randomFor(blow));
        return `${times} times, ${operations} operations of 4 readers and 4 writers, 0 errors, 0 mismatches, the longest took ${Math.round(longestMs)} ms; ${longestRow} in a row before a request was answered`;
      });
    }
    return parts.sound;
  });
}

/** A quarter of an hour of a host that stores nonsense into the metadata of pools, each time into another one. */
import { apart } from '../faults/apart.ts';
import { scribbleAtRandom } from '../faults/hostile.ts';
import { expectNames } from '../faults/named-damage.ts';
import { randomFor } from '../faults/seed.ts';
import { Parts } from './parts.ts';

const POOLS = 5;
const EACH_MS = 180_000;

/** Whether nobody crashed, no staged volume was spoilt, and all damage was named. */
export function run(): Promise<boolean> {
  return apart('hostile', async () => {
    const parts = new Parts();
    await parts.tell('damage', async () => {
      await expectNames(randomFor('named damage'));
      return 'of an entry, the superblock, the log header, the claim and the counters was named, and forgotten when it was put right';
    });
    for (let pool = 1; pool <= POOLS; pool++) {
      await parts.tell(`pool ${pool}`, async () => {
        const { seconds, blocks, scribbles, calls } = await scribbleAtRandom(EACH_MS, randomFor(`hostile ${pool}`));
        const count = Object.values(scribbles).reduce((sum, one) => sum + one, 0);
        return `${seconds} s, ${count} scribbles of ${Object.keys(scribbles).length} kinds; ${blocks} blocks of staged volumes as they should be; ` +
          `calls: ${Object.entries(calls).map(([code, times]) => `${code} ${times}`).join(', ')}`;
      });
    }
    return parts.sound;
  });
}

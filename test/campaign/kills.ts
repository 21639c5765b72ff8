/** 200 controllers that are killed in the middle of their stores, on ten pools. */
import { apart } from '../faults/apart.ts';
import { killControllers } from '../faults/kills.ts';
import { randomFor } from '../faults/seed.ts';
import { Parts } from './parts.ts';

const POOLS = 10;
const KILLS = 20;

/** Whether nothing was lost. */
export function run(): Promise<boolean> {
  return apart('kills', async () => {
    const parts = new Parts();
    for (let pool = 1; pool <= POOLS; pool++) {
      await parts.tell(`pool ${pool}`, async () => {
        const { kills, beforeServing, unknown, created, deleted, guards } = await killControllers(KILLS, randomFor(`kills ${pool}`));
        return `${kills} kills, ${beforeServing} before it served, ${unknown} calls without a result; ` +
          `${created} volumes made, ${deleted} deleted, ${guards} guards; 0 bytes and 0 slots unaccounted for`;
      });
    }
    return parts.sound;
  });
}

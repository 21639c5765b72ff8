/** 10,000 volumes, made, written, read on another host, and deleted, many at a time on little memory. */
import { apart } from '../faults/apart.ts';
import { cycleVolumes } from '../faults/cycles.ts';
import { randomFor } from '../faults/seed.ts';

const CYCLES = 10_000;

/** Whether no volume ever showed a byte of another, and everything came back. */
export function run(): Promise<boolean> {
  return apart('cycles', async () => {
    try {
      const { cycles, seconds, timesReused, lateReads } = await cycleVolumes(CYCLES, randomFor('cycles'));
      console.log(`ok      ${cycles} cycles on two hosts in ${seconds.toFixed(0)} s: all memory used ${timesReused.toFixed(1)} times, ` +
        `${lateReads} late reads got ESTALE; 0 bytes and 0 slots unaccounted for, fsck clean`);
      return true;
    } catch (error) {
      console.log(`WRONG   ${(error as Error).message}`);
      return false;
    }
  });
}

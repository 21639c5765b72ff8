/** A quarter of an hour of hosts that store nonsense, or what they know to hurt, into the memory of pools, and of clients at the HTTP port. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIB } from '../../src/famfs/units.ts';
import { apart } from '../faults/apart.ts';
import { AttackedPlane, httpAttacks } from '../faults/attacked-plane.ts';
import { attackAsCoHost } from '../faults/co-host.ts';
import { floodWithRejects } from '../faults/flood.ts';
import { scribbleAtRandom, Victims } from '../faults/hostile.ts';
import type { HttpAttack } from '../faults/http-attack.ts';
import { expectNames } from '../faults/named-damage.ts';
import { randomFor } from '../faults/seed.ts';
import { Parts } from './parts.ts';

const POOLS = 2;
const EACH_MS = 180_000;
const CO_HOST_MS = 300_000;
const CALM_MS = 10_000;
const HTTP_MS = 40_000;
const FLOOD = 100_000;
const FLOOD_MS = 60_000;
/** What an application may wait at most while its pool is attacked. */
const STALL_MS = 1000;
/** What a process may grow by after the first round, since a heap is collected late. */
const GROWTH_BYTES = 64 * MIB;

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
    await parts.tell('a host that knows what it does', async () => {
      const random = randomFor('co-host');
      const calm = await Victims.use(random, () => sleep(CALM_MS));
      const { result: { attacks, grownBytes }, blocks, longestMs } = await Victims.use(random, (victims) => attackAsCoHost(victims, CO_HOST_MS, random));
      assert.ok(longestMs <= Math.max(STALL_MS, 2 * calm.longestMs), `an application waited for ${Math.round(longestMs)} ms; ${Math.round(calm.longestMs)} in calm`);
      assert.ok(grownBytes <= GROWTH_BYTES, `a process has grown by ${Math.round(grownBytes / MIB)} MiB`);
      return `${Object.entries(attacks).map(([name, times]) => `${name} ${times}`).join(', ')}; ${blocks} blocks as they should be, ` +
        `the longest wait ${Math.round(longestMs)} ms (${Math.round(calm.longestMs)} in calm), most growth ${Math.round(grownBytes / MIB)} MiB`;
    });
    await parts.tell(`${FLOOD} entries that cannot be`, async () => {
      const { rejects, blocks, longestLookupMs, grownMiB, toldBytes } = await floodWithRejects(FLOOD, FLOOD_MS, randomFor('flood'));
      assert.ok(longestLookupMs <= STALL_MS, `a look-up took ${Math.round(longestLookupMs)} ms`);
      return `${rejects} appended; ${blocks} blocks as they should be, the longest look-up ${Math.round(longestLookupMs)} ms, ` +
        `the serving process has grown by ${Math.round(grownMiB)} MiB, ${toldBytes} bytes are told of it`;
    });
    await httpParts(parts);
    return parts.sound;
  });
}

async function httpParts(parts: Parts): Promise<void> {
  const plane = await AttackedPlane.start();
  try {
    for (const [shape, { title }] of Object.entries(httpAttacks)) {
      await parts.tell(title, async () => {
        const { connections, checks, longestMs, mostBytes } = await plane.stand(shape as HttpAttack, HTTP_MS);
        assert.ok(longestMs <= STALL_MS, `/healthz was answered after ${Math.round(longestMs)} ms`);
        return `${connections} connections; ${checks} answers whether it is alive, the slowest after ${Math.round(longestMs)} ms; at most ${Math.round(mostBytes / MIB)} MiB`;
      });
    }
  } finally {
    await plane.stop();
  }
}

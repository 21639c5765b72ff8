import assert from 'node:assert/strict';
import { stateOffset } from '../../src/famfs/format/log-header.ts';
import { StateWord } from '../../src/famfs/format/state-word.ts';
import { indexOf } from '../../src/famfs/index/index-store.ts';
import type { Random } from '../fuzz/random.ts';
import { heldBy } from '../soak/processes.ts';
import { createVolume, deleteVolume } from '../support/csi-requests.ts';
import { forgeClaim } from '../support/forged-claim.ts';
import { untilSo } from '../support/until.ts';
import { expectZeros, type Victims } from './hostile.ts';
import { UNIT } from './site.ts';

/** Bytes that a volume holds, and that nobody else may see. */
const SECRET = 0x5a;
/** Of the volume that is voided, and of the one that gets its memory. */
const PREY_UNITS = 2;
/** Past all epochs, and within what a writer might follow. */
const EPOCHS = [2 ** 32 - 1, 2 ** 31, 2 ** 20 + 4096];
const LISTS = [[{ first: 0, count: 2 ** 32 - 1 }], [{ first: 0, count: 4096 }], [{ first: 4, count: 8 }, { first: 8, count: 8 }]];

/** What a host that can write to the pool's memory does with it, knowing what it does. Each leaves the pool to be used as before. */
export const coHostAttacks: Readonly<Record<string, (victims: Victims, random: Random) => Promise<void>>> = {
  'a void store into a live file': async ({ controller: { client }, site, hosts }) => {
    const make = () => createVolume(client, 'prey', { capacity_range: { required_bytes: PREY_UNITS * UNIT } });
    const { volume_id: id } = (await untilSo('memory of the round before is back', () => make().catch(() => undefined)))!;
    const pool = site.attach();
    const { node } = pool.stat('prey/data')!;
    pool.write(node, 0, Buffer.alloc(PREY_UNITS * UNIT, SECRET));
    pool.replayer.geometry.log.store64(stateOffset(indexOf(node)), StateWord.voidFile);
    pool.close();
    await deleteVolume(client, id);
    await fillWithZeros(client, site.uuid, (name) => expectZeros(hosts[0], site.uuid, name));
  },
  'a claim of an epoch that nobody has reached': async (victims, random) => forgeAndReset(victims, random.pick(EPOCHS), [], 2 ** 20),
  'a list of guards that hides entries': async (victims, random) => {
    const epoch = victims.site.read((pool) => pool.replayer.ring.ruling()!.head.epoch);
    await forgeAndReset(victims, epoch + 1, random.pick(LISTS));
  },
};

/** Stores a claim, sees that no volume is made, takes the claim away as an operator would, and sees that volumes are made again. */
async function forgeAndReset(
  { controller: { client }, site }: Victims, epoch: number, guards: Parameters<typeof forgeClaim>[2], above?: number,
): Promise<void> {
  const before = site.read((pool) => pool.view.usage());
  forgeClaim(site.device, epoch, guards).isUnchangedButForClaims();
  const make = () => createVolume(client, 'meanwhile', { capacity_range: { required_bytes: UNIT } });
  await assert.rejects(make(), { code: 14 }, 'UNAVAILABLE');
  site.famfs('reset-claim', site.device, '--forged', ...(above === undefined ? [] : ['--above', String(above)]));
  const after = site.read((pool) => pool.view.usage());
  assert.deepEqual([after.files, after.directories], [before.files, before.directories], 'an entry is gone');
  const { volume_id: id } = (await untilSo('a volume is made again', () => make().catch(() => undefined)))!;
  await deleteVolume(client, id);
}

/** Makes volumes until there is no room, and shows each to `look`; deletes them. What was voided is among their memory, scrubbed. */
async function fillWithZeros(client: Victims['controller']['client'], uuid: string, look: (name: string) => Promise<void>): Promise<void> {
  const made: string[] = [];
  for (let k = 0; k < 64; k++) {
    const name = `heir-${k}`;
    const isMade = await createVolume(client, name, { capacity_range: { required_bytes: UNIT } }).then(() => true, () => false);
    if (!isMade) break;
    made.push(name);
    await look(name);
  }
  for (const name of made) await deleteVolume(client, `${uuid}/${name}`);
}

export interface CoHostFigures {
  /** How often each was done. */
  readonly attacks: Readonly<Record<string, number>>;
  /** The most that a process has grown by, in bytes of anonymous memory, after the first round. */
  readonly grownBytes: number;
}

/**
 * Does one attack after the other for a while, each once at least, to a pool whose volumes are in use. Throws AssertionError where an
 * attack gets further than it should.
 */
export async function attackAsCoHost(victims: Victims, forMs: number, random: Random): Promise<CoHostFigures> {
  const attacks: Record<string, number> = {};
  const pids = [victims.controller.pid, ...victims.hosts.flatMap(({ processes, nodePlugin }) => [...Object.values(processes), nodePlugin])];
  const held = () => pids.map((pid) => heldBy(pid)?.rssAnon ?? 0);
  let first: number[] | undefined;
  for (const began = performance.now(); first === undefined || performance.now() - began < forMs;) {
    for (const [name, attack] of Object.entries(coHostAttacks)) {
      await attack(victims, random);
      victims.mustLive();
      attacks[name] = (attacks[name] ?? 0) + 1;
    }
    first ??= held();
  }
  const last = held();
  return { attacks, grownBytes: Math.max(...last.map((bytes, k) => bytes - first![k])) };
}

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { status, type ServiceError } from '@grpc/grpc-js';
import type { Run } from '../../src/famfs/alloc/free-runs.ts';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import type { Pool } from '../../src/famfs/pool/pool.ts';
import { MIB } from '../../src/famfs/units.ts';
import type { Random } from '../fuzz/random.ts';
import { type ControllerClient, createVolume, deleteVolume } from '../support/csi-requests.ts';
import { unary } from '../support/grpc-client.ts';
import { bytesAt, fillRanges } from '../support/memory-bytes.ts';
import { readAsReference } from '../support/reference-reader.ts';
import { until } from '../support/until.ts';
import type { ControllerProcess } from './controller-process.ts';
import { Ledger, type LedgerVolume } from './ledger.ts';
import { Site, UNIT } from './site.ts';

export interface KillsFigures {
  kills: number;
  /** Of these, before it served. */
  beforeServing: number;
  /** Calls of which nobody was told how they ended. */
  unknown: number;
  created: number;
  deleted: number;
  /** Slots that guard against writers of other hosts. */
  guards: number;
}

/** Units of memory for files: few, so that they are used again and again. */
const UNITS = 48;
const LOG = 8 * MIB;
const CALLERS = 8;
/** Where a host keeps the locks that prove its writers dead. */
const LOCKS = 'writers';
/** Stores of a take-over, and of a few dozen calls. */
const TAKE_OVER = 350;
const CALLS = 6000;
const PATIENCE_MS = 200;
const FULL_MS = 20;
/** A controller stores as much as it is killed after in a few seconds, or when it has outwaited the one on another host. */
const LONGEST_MS = 90_000;

/** Which host each controller of a round runs on. The others' locks prove nothing to it, so a change costs ten seconds. */
const host = (kill: number, kills: number) => (kill >= kills - 3 && kill < kills - 1 ? 'other' : 'one');

/**
 * One pool on which controllers are killed, one after the other, in the middle of calls. After each
 * the pool is looked at, and the next one has to go on with it. Throws AssertionError.
 */
export async function killControllers(kills: number, random: Random): Promise<KillsFigures> {
  const site = new Site(UNITS * UNIT, LOG);
  return site.use(async () => {
    const pool = site.attach();
    try {
      return await killOneAfterTheOther(kills, { site, pool, random, ledger: new Ledger(site.uuid), names: 0, wrong: false });
    } finally {
      pool.close();
    }
  });
}

async function killOneAfterTheOther(kills: number, scene: Scene): Promise<KillsFigures> {
  const { site, random, ledger } = scene;
  let beforeServing = 0;
  let unknown = 0;
  for (let kill = 0; kill < kills; kill++) {
    const diesAfter = 1 + (random.chance(4) ? random.below(TAKE_OVER) : TAKE_OVER + random.below(CALLS));
    const controller = site.startController(host(kill, kills), { diesAfter });
    try {
      if (!await useUntilKilled(scene, controller)) beforeServing++;
      await controller.killed();
      unknown += ledger.in('creation asked for').length + ledger.in('deletion asked for').length;
      look(scene);
    } catch (error) {
      throw new Error(`kill ${kill + 1}, after ${diesAfter} stores: ${(error as Error).message}`, { cause: error });
    }
  }
  const guards = await clearAway(scene);
  return { kills, beforeServing, unknown, created: ledger.created, deleted: ledger.deleted, guards };
}

interface Scene {
  readonly site: Site;
  /** As a host that has had it mounted all the time. */
  readonly pool: Pool;
  readonly random: Random;
  readonly ledger: Ledger;
  names: number;
  /** Somebody has found something wrong: all stop. */
  wrong: boolean;
}

/** Calls a controller until it is no more; false when it was killed before it served. */
async function useUntilKilled(scene: Scene, controller: ControllerProcess): Promise<boolean> {
  if (!await controller.serves()) return false;
  await untilKilled(scene, controller, () => compareList(scene, controller.client), 'once');
  const callers = Array.from({ length: CALLERS }, () => untilKilled(scene, controller, () => call(scene, controller.client)));
  for (const caller of await Promise.allSettled(callers)) if (caller.status === 'rejected') throw caller.reason;
  return true;
}

/** Calls again and again, until something is wrong. One that is unavailable but alive waits for its pool. */
async function untilKilled(scene: Scene, controller: ControllerProcess, work: () => Promise<void>, often?: 'once'): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  try {
    while (!controller.hasEnded && !scene.wrong) {
      if (performance.now() > deadline) throw new Error(`it is called for ${LONGEST_MS / 1000} s, and does not store:\n${controller.log.slice(-2000)}`);
      try {
        await work();
        if (often === 'once') return;
      } catch (error) {
        const { code } = error as ServiceError;
        if (code !== status.UNAVAILABLE && code !== status.CANCELLED) throw error;
        await Promise.race([controller.ended, sleep(PATIENCE_MS)]);
      }
    }
  } catch (error) {
    scene.wrong = true;
    throw error;
  }
}

/** Makes or deletes a volume. */
async function call(scene: Scene, client: ControllerClient): Promise<void> {
  const { ledger, random } = scene;
  const deletable = [...ledger.in('there'), ...ledger.in('half deleted')];
  if (deletable.length > 0 && random.below(UNITS) < deletable.length * 2) return remove(ledger, client, random.pick(deletable));
  const volume = ledger.asks(`pvc-${++scene.names}`, (1 + random.below(2)) * UNIT);
  try {
    await createVolume(client, volume.name, { capacity_range: { required_bytes: volume.size } });
  } catch (error) {
    const isFull = (error as ServiceError).code === status.RESOURCE_EXHAUSTED; // what was deleted has not come back yet
    if (isFull || isRefused(error)) ledger.wasNotMade(volume);
    if (!isFull) throw error;
    return sleep(FULL_MS);
  }
  ledger.wasMade(volume);
  fill(scene, volume);
}

async function remove(ledger: Ledger, client: ControllerClient, volume: LedgerVolume): Promise<void> {
  const { state } = volume;
  volume.state = 'deletion asked for';
  try {
    await deleteVolume(client, volume.id);
  } catch (error) {
    if (isRefused(error)) volume.state = state;
    throw error;
  }
  ledger.wasDeleted(volume);
}

/** A controller that waits for its claim has done nothing. */
const isRefused = (error: unknown) => (error as ServiceError).details?.startsWith('pool ') ?? false;

/** A new volume holds zeros; from now on, its own stamp. */
function fill({ pool }: Scene, { name, stamp }: LedgerVolume): void {
  pool.refresh();
  for (const range of memoryOf(pool, name)) {
    assert.ok(isAll(bytesAt(pool.memory, range), 0), `${name} does not read as zeros at first`);
    fillRanges(pool.memory, [range], stamp);
  }
}

function memoryOf(pool: Pool, name: string): Run[] {
  const data = pool.stat(`${name}/data`);
  assert.ok(data, `${name} is not there for a host that follows the log`);
  return pool.view.extents(data.node);
}

function isAll(memory: Uint8Array, byte: number): boolean {
  return Buffer.alloc(memory.length, byte).equals(memory);
}

/** What is in the pool, now that nobody writes to it. */
function look({ site, pool, ledger }: Scene): void {
  assert.deepEqual(fsck(site.device).problems.filter(({ severity }) => severity !== 'note'), []);
  pool.refresh();
  site.read((fresh) => {
    assert.deepEqual(treeOf(pool), treeOf(fresh), 'who follows the log and who comes new see the same');
    const asked = ledger.in('creation asked for');
    ledger.compare(fresh);
    for (const volume of ledger.in('there')) {
      for (const range of memoryOf(pool, volume.name)) {
        if (asked.includes(volume)) fillRanges(pool.memory, [range], volume.stamp); // made, and nobody was told
        else assert.ok(isAll(bytesAt(pool.memory, range), volume.stamp), `${volume.name} does not hold what was written`);
      }
    }
  });
}

const treeOf = (pool: Pool) => [...pool.walk()].map(({ path, node, size }) => ({ path, size, extents: pool.view.extents(node) }));

/** The next controller lists what callers know of, and what they were not told of, but nothing else. */
async function compareList({ ledger }: Scene, client: ControllerClient): Promise<void> {
  const { entries } = await unary(client, client.listVolumes.bind(client), {}) as { entries: { volume: { volume_id: string } }[] };
  const listed = entries.map(({ volume }) => volume.volume_id);
  assert.deepEqual(listed.sort(), ledger.all.map(({ id }) => id).sort());
}

/** Deletes everything: then all memory comes back, and every slot is that of a volume or guards. */
async function clearAway(scene: Scene): Promise<number> {
  const { site, ledger } = scene;
  // Who was killed over a scrub on the other host has to be known to be stopped, before anybody scrubs there.
  cpSync(join(site.hostDirectory('other'), LOCKS), join(site.hostDirectory('one'), LOCKS), { recursive: true });
  const controller = site.startController('one');
  await controller.serves();
  await until(() => compareList(scene, controller.client)); // while it waits for its claim, there is nothing to list
  await Promise.all(ledger.all.map((volume) => until(() => remove(ledger, controller.client, volume))));
  await until(() => site.read((pool) => assert.equal(pool.usage().freeBytes, pool.usage().totalBytes, 'memory has not come back')));
  assert.deepEqual(await controller.stop(), []);
  assert.equal(fsck(site.device).status, 0);
  const { refused, bad, errors, collisions, files } = readAsReference(readFileSync(site.device).subarray(0, UNIT + LOG));
  assert.deepEqual({ refused, bad, errors, collisions, files }, { refused: undefined, bad: [], errors: [], collisions: 0, files: [] });
  return site.read((pool) => ledger.account(pool));
}

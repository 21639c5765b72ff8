/** A host that fills the log of a pool in use with entries that cannot be, and says again and again that something has changed. */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { EntryLayout } from '../../src/famfs/format/entry-layout.ts';
import { REJECTS_MAX } from '../../src/famfs/log/ownership.ts';
import { MIB } from '../../src/famfs/units.ts';
import type { Random } from '../fuzz/random.ts';
import { attach, createVolume, detach, publish, refused, stage, unpublish, unstage } from '../support/csi-requests.ts';
import { freePort } from '../support/http-role.ts';
import { until } from '../support/until.ts';
import { ClientProcess } from './client-process.ts';
import { LogFlood } from './log-flood.ts';
import type { ControllerProcess } from './controller-process.ts';
import type { HostProcesses } from './host-processes.ts';
import { POOL, Site, UNIT } from './site.ts';

/** Units of memory for files. */
const UNITS = 64;
const NAME = 'used';
/** Rejects that are appended at once. */
const BURST = 1000;
/** How often names are looked up, and states said to have changed. */
const EVERY_MS = 20;
/** What a serving process may grow by, besides the index of what is in the log. */
const GROWTH_MAX = 64 * MIB;
const INDEX_BYTES_PER_ENTRY = 100;

export interface FloodFigures {
  readonly rejects: number;
  /** Blocks that an application read as they should be. */
  readonly blocks: number;
  /** The longest look-up of a name that is not there: it waits for the thread that replays. */
  readonly longestLookupMs: number;
  /** What the serving process has grown by, in MiB. */
  readonly grownMiB: number;
  /** What the data plane says of the pool, in bytes. */
  readonly toldBytes: number;
}

/**
 * Lets another host append so many rejects to the log of a pool that an application works on, then take some back and
 * move the change word for a while. Nobody ends, nothing grows with their number, what is told stays short, and the
 * session goes on with other processes. With more rejects than a log may have, the pool takes no new volumes. Throws
 * AssertionError.
 */
export async function floodWithRejects(count: number, forMs: number, random: Random): Promise<FloodFigures> {
  const logSize = 2 ** Math.ceil(Math.log2(Math.max(8 * MIB, (count + 1000) * EntryLayout.size)));
  const site = new Site(UNITS * UNIT, logSize);
  return await site.use(async () => {
    const controller = site.startController('one', { httpPort: await freePort() });
    await controller.serves();
    const host = await site.startHost('red');
    const { volume_id: id } = await createVolume(controller.client, NAME, { capacity_range: { required_bytes: 2 * UNIT } });
    const [staging, target] = ['staging', 'target'].map((name) => join(host.directory, name)) as [string, string];
    mkdirSync(staging);
    const context = await attach(controller.client, id, host.name);
    await stage(host.node, id, staging);
    await publish(host.node, id, staging, target, { context });
    const application = await ClientProcess.open(host, join(target, 'data'));
    const flood = new LogFlood(site.device, `${NAME}/data`);
    try {
      await application.ask({ do: 'work', byte: 0, seed: random.word() });
      const figures = await attack({ controller, host, flood, target, application }, count, forMs, random);
      await application.ask({ do: 'work', byte: 0, seed: random.word() });
      await expectToGoOn(host);
      return { ...figures, blocks: figures.blocks + await blocksOf(application) };
    } finally {
      flood.close();
      await application.end();
      await unpublish(host.node, id, target);
      await unstage(host.node, id, staging);
      await detach(controller.client, id, host.name);
    }
  });
}

interface Scene {
  readonly controller: ControllerProcess;
  readonly host: HostProcesses;
  readonly flood: LogFlood;
  /** Where the volume is published. */
  readonly target: string;
  /** At work on it. */
  readonly application: ClientProcess;
}

async function attack(scene: Scene, count: number, forMs: number, random: Random): Promise<FloodFigures> {
  const { controller, host, flood } = scene;
  const before = { processes: host.processes, bytes: ownBytes(host.processes.child) };
  const first = flood.next;
  let isOver = false;
  const looking = longestLookup(scene, () => isOver);
  try {
    for (let done = 0; done < count; done += BURST) {
      flood.flood(Math.min(BURST, count - done));
      await turn();
    }
    for (const began = performance.now(); performance.now() - began < forMs; await sleep(EVERY_MS)) {
      if (random.chance(2)) flood.touch();
      else flood.takeBack(first + random.below(flood.next - first));
    }
  } finally {
    isOver = true;
  }
  const longestLookupMs = await looking;
  assert.deepEqual(host.processes, before.processes, 'a process was replaced');
  assert.equal(host.hasEnded || controller.hasEnded, false, host.log + controller.log);
  const grown = ownBytes(before.processes.child) - before.bytes;
  assert.ok(grown < GROWTH_MAX + count * INDEX_BYTES_PER_ENTRY, `the serving process has grown by ${grown} bytes`);
  if (count > REJECTS_MAX) await expectNoNew(controller);
  const pools = await host.pools();
  const told = JSON.stringify(pools);
  assert.equal(pools.length, 1);
  assert.ok(told.length < 4096, told.slice(0, 4096));
  return { rejects: flood.next - first, blocks: await blocksOf(scene.application), longestLookupMs, grownMiB: grown / MIB, toldBytes: told.length };
}

/** Looks up names that are not there, again and again; answers the longest time in ms. */
async function longestLookup({ host, target }: Scene, isOver: () => boolean): Promise<number> {
  let longest = 0;
  for (let k = 0; !isOver(); k++) {
    const began = performance.now();
    await assert.rejects(stat(host.reach(join(target, `none-${k}`))), { code: 'ENOENT' });
    longest = Math.max(longest, performance.now() - began);
    await sleep(EVERY_MS);
  }
  return longest;
}

async function expectNoNew(controller: ControllerProcess): Promise<void> {
  await until(async () => assert.equal(await controller.metric(`famfs_pool_health{pool="${POOL}",state="damaged"}`), 1));
  await refused(createVolume(controller.client, 'another', { capacity_range: { required_bytes: UNIT } }), status.UNAVAILABLE, /more than \d+ entries are refused/);
}

/** Both processes of a session are killed: others go on with it. */
async function expectToGoOn(host: HostProcesses): Promise<void> {
  const before = host.processes;
  for (const pid of [before.supervisor, before.child]) process.kill(pid, 'SIGKILL');
  await until(() => {
    const { supervisor, child } = host.processes;
    assert.ok(supervisor !== before.supervisor && child !== undefined);
  });
}

/** Lets an application rest; how many blocks it has read, none of them wrong. */
async function blocksOf(application: ClientProcess): Promise<number> {
  const { work } = await application.ask({ do: 'rest' });
  assert.deepEqual({ wrong: work!.wrong, gone: work!.gone }, { wrong: [], gone: 0 });
  return work!.good;
}

/** Memory of a process that is nobody else's. */
function ownBytes(pid: number): number {
  const [, kib] = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) * 1024;
}

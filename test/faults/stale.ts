import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { open } from 'node:fs/promises';
import type { Run } from '../../src/famfs/alloc/free-runs.ts';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import type { Random } from '../fuzz/random.ts';
import { createVolume, deleteVolume, refused } from '../support/csi-requests.ts';
import { freePort } from '../support/http-role.ts';
import { bytesAt } from '../support/memory-bytes.ts';
import { until } from '../support/until.ts';
import { ClientProcess } from './client-process.ts';
import type { Answer } from './client.ts';
import type { ControllerProcess } from './controller-process.ts';
import type { HostProcesses } from './host-processes.ts';
import { POOL, Site, UNIT } from './site.ts';

/** What of a host is stopped: the process that serves its files, or all of its data plane. */
export type Stopped = 'child' | 'data plane';

/** Units of memory for files. */
const UNITS = 16;
const ESTALE = -116;
/** What is stored by whom. */
const OLD = 0x4f;
const LATE = 0x4c;
const NEW = 0x4e;

/** A pool with a controller, a host that is well, and one that will not be. */
class Scene {
  readonly site = new Site(UNITS * UNIT);
  controller!: ControllerProcess;
  well!: HostProcesses;
  stopping!: HostProcesses;
  #mounts = new Map<HostProcesses, string>();
  #clients: ClientProcess[] = [];
  #stopped: number[] = [];

  static use<T>(work: (scene: Scene) => Promise<T>): Promise<T> {
    const scene = new Scene();
    return scene.site.use(async () => {
      try {
        scene.controller = scene.site.startController('one', { httpPort: await freePort() });
        await scene.controller.serves();
        [scene.well, scene.stopping] = await Promise.all(['well', 'stopping'].map((name) => scene.site.startHost(name)));
        for (const host of [scene.well, scene.stopping]) scene.#mounts.set(host, await host.mount());
        return await work(scene);
      } finally {
        scene.goOn();
        for (const client of scene.#clients) await client.end();
      }
    });
  }

  async create(name: string, units: number): Promise<string> {
    const { volume_id: id } = await createVolume(this.controller.client, name, { capacity_range: { required_bytes: units * UNIT } });
    return id;
  }

  /** The data of a volume, as the host names it. */
  data(host: HostProcesses, name: string): string {
    return `${this.#mounts.get(host)}/${name}/data`;
  }

  /** Writes all of a volume on the host that is well. */
  async fill(name: string, byte: number): Promise<void> {
    const file = await open(this.well.reach(this.data(this.well, name)), 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.alloc(size, byte), 0, size, 0);
    await file.close();
  }

  /** All of a volume, as the host that is well reads it. */
  async content(name: string): Promise<Buffer> {
    const file = await open(this.well.reach(this.data(this.well, name)), 'r');
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  async application(name: string): Promise<ClientProcess> {
    const client = await ClientProcess.open(this.stopping, this.data(this.stopping, name));
    this.#clients.push(client);
    return client;
  }

  stop(what: Stopped): void {
    const { plane, supervisor, child } = this.stopping.processes;
    this.#stopped = what === 'child' ? [child] : [plane, supervisor, child];
    for (const pid of this.#stopped) process.kill(pid, 'SIGSTOP');
  }

  goOn(): void {
    for (const pid of this.#stopped.splice(0)) process.kill(pid, 'SIGCONT');
  }

  extents(name: string): Run[] {
    return this.site.read((pool) => pool.view.extents(pool.stat(`${name}/data`)!.node));
  }

  /** Makes a volume as soon as its memory has come back. */
  createWhenFree(name: string, units: number): Promise<string> {
    return until(() => this.create(name, units));
  }
}

/**
 * Stops a host that has volumes open and mapped, deletes them, and lets the host go on after a while.
 * Nobody gets the memory before; the host gets ESTALE, for what it asked meanwhile too. Throws AssertionError.
 */
export async function returnLate(what: Stopped, heldMs: number): Promise<void> {
  await Scene.use(async (scene) => {
    const { controller, site } = scene;
    const left = await leaveInUse(scene, what);
    const waits = () => controller.metric(`famfs_pool_waits_for_host{pool="${POOL}",host="stopping"}`);
    await until(async () => assert.equal(await waits(), 1));
    for (const began = performance.now(); performance.now() - began < heldMs; await sleep(200)) {
      assert.equal(await waits(), 1);
      assert.equal(await controller.metric(`famfs_pool_bytes{pool="${POOL}",state="quarantined"}`), left.memory.end - left.memory.start);
      site.read((pool) => {
        assert.ok(isAll(bytesAt(pool.memory, left.memory), OLD), 'memory of a host that is stopped was touched');
      });
    }
    await refused(scene.create('new', 4), status.RESOURCE_EXHAUSTED, /stopping.* may have it mapped/);
    if (heldMs > 40_000) assert.match(controller.log, /"reason":"PoolMemoryHeld"/);
    scene.goOn();
    assert.equal((await left.pending).error, ESTALE);
    await overwrite(scene, left);
    await expectLate(scene, left);
  });
}

/**
 * The operator says of a stopped host that it is off: its memory comes back without it. Should the
 * word be wrong, and the host go on, it reads and writes nothing of others all the same. Throws AssertionError.
 */
export async function evictWrongly(what: Stopped): Promise<void> {
  await Scene.use(async (scene) => {
    const left = await leaveInUse(scene, what);
    scene.site.famfs('evict', 'stopping', '--powered-off', '--state-dir', scene.site.stateDirectory);
    await overwrite(scene, left);
    scene.goOn();
    assert.equal((await left.pending).error, ESTALE);
    await expectLate(scene, left);
  });
}

export interface StaleFigures {
  readonly rounds: number;
  /** Blocks that were read as they should be, and calls that got ESTALE. */
  good: number;
  gone: number;
}

/**
 * Stops a host at any moment of its work with a volume, deletes the volume, lets the host go on, and
 * gives the memory to another volume as soon as that is possible. Throws AssertionError.
 */
export async function stopAtWork(rounds: number, random: Random): Promise<StaleFigures> {
  return Scene.use(async (scene) => {
    const figures = { rounds, good: 0, gone: 0 };
    for (let round = 0; round < rounds; round++) {
      const id = await scene.create(`old-${round}`, UNITS);
      await scene.fill(`old-${round}`, OLD);
      const application = await scene.application(`old-${round}`);
      await application.ask({ do: 'work', byte: OLD, seed: random.word() });
      await sleep(20 + random.below(50));
      scene.stop(random.pick(['child', 'data plane']));
      await deleteVolume(scene.controller.client, id);
      await sleep(random.below(1000));
      scene.goOn();
      const next = await scene.createWhenFree(`new-${round}`, UNITS);
      assert.ok(isAll(await scene.content(`new-${round}`), 0), 'a new volume does not read as zeros');
      await scene.fill(`new-${round}`, NEW);
      await sleep(100);
      const { work } = await application.ask({ do: 'rest' });
      await application.end();
      assert.deepEqual(work!.wrong, []);
      assert.ok(isAll(await scene.content(`new-${round}`), NEW), 'a late write changed another volume');
      figures.good += work!.good;
      figures.gone += work!.gone;
      await deleteVolume(scene.controller.client, next);
      await until(() => scene.site.read((pool) => assert.equal(pool.usage().quarantinedBytes, 0)));
    }
    assert.ok(figures.good > 0 && figures.gone > 0, JSON.stringify(figures));
    return figures;
  });
}

/** Deleted volumes that are in use on a host which is stopped. */
interface LeftInUse {
  /** Has one open, and waits for an answer. */
  readonly reader: ClientProcess;
  readonly pending: Promise<Answer>;
  /** Has the other one mapped, with stores that have not been written back. */
  readonly mapper: ClientProcess;
  /** Of both. */
  readonly memory: Run;
}

async function leaveInUse(scene: Scene, what: Stopped): Promise<LeftInUse> {
  const ids = [await scene.create('open', 2), await scene.create('mapped', 2)];
  await scene.create('other', UNITS - 4);
  for (const name of ['open', 'mapped']) await scene.fill(name, OLD);
  const [reader, mapper] = [await scene.application('open'), await scene.application('mapped')];
  for (const application of [reader, mapper]) assert.equal((await application.ask({ do: 'read', length: 4 })).bytes, 'OOOO');
  await mapper.ask({ do: 'map' });
  const [{ start }] = scene.extents('open');
  scene.stop(what);
  await mapper.ask({ do: 'store', byte: LATE });
  for (const id of ids) await deleteVolume(scene.controller.client, id);
  const pending = reader.ask({ do: 'read', length: 8 });
  assert.equal(await Promise.race([pending, sleep(200, 'nothing')]), 'nothing', 'a host that is stopped answered');
  return { reader, pending, mapper, memory: { start, end: start + 4 * UNIT } };
}

/** Another volume gets the memory, and is written. */
async function overwrite(scene: Scene, { memory }: LeftInUse): Promise<void> {
  await scene.createWhenFree('new', 4);
  assert.deepEqual(scene.extents('new'), [memory]);
  assert.ok(isAll(await scene.content('new'), 0), 'a new volume does not read as zeros');
  await scene.fill('new', NEW);
}

/** What comes late gets ESTALE, and harms nobody. */
async function expectLate(scene: Scene, { reader, mapper }: LeftInUse): Promise<void> {
  assert.equal((await mapper.ask({ do: 'sync' })).error, ESTALE);
  assert.equal((await reader.ask({ do: 'read', length: 8 })).error, ESTALE);
  assert.ok(isAll(await scene.content('new'), NEW), 'a late write changed another volume');
  assert.equal(fsck(scene.site.device).status, 0);
}

const isAll = (bytes: Uint8Array, byte: number) => Buffer.alloc(bytes.length, byte).equals(bytes);

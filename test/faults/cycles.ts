import assert from 'node:assert/strict';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { status, type ServiceError } from '@grpc/grpc-js';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import { MIB } from '../../src/famfs/units.ts';
import type { Random } from '../fuzz/random.ts';
import { type ControllerClient, createVolume, deleteVolume } from '../support/csi-requests.ts';
import { until } from '../support/until.ts';
import { Ledger, type LedgerVolume } from './ledger.ts';
import { Site, UNIT } from './site.ts';

export interface CyclesFigures {
  readonly cycles: number;
  readonly seconds: number;
  /** Bytes that volumes had, as often as all of the pool. */
  readonly timesReused: number;
  /** Reads through files that had been open before their volume was deleted. */
  readonly lateReads: number;
}

/** Units of memory for files. */
const UNITS = 128;
const AT_ONCE = 24;
/** Files of deleted volumes that are kept open until their memory is others'. */
const KEPT_OPEN = 64;
const SLOT = 544;
const ESTALE = -116;
const PATIENCE_MS = 100;
/** Memory that does not come back for so long has been lost. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Makes volumes, writes them on one host, reads them on another, and deletes them, many at a time on
 * little memory. Throws AssertionError at the first byte that is another volume's.
 */
export async function cycleVolumes(cycles: number, random: Random): Promise<CyclesFigures> {
  const slots = 2 * cycles;
  const site = new Site(UNITS * UNIT, 8 * MIB * 2 ** Math.max(0, Math.ceil(Math.log2(slots * SLOT / (8 * MIB)))));
  return site.use(async () => {
    const controller = site.startController('one');
    await controller.serves();
    const hosts = await Promise.all(['red', 'blue'].map((name) => site.startHost(name)));
    const roots = await Promise.all(hosts.map(async (host) => host.reach(await host.mount())));
    const run = new Cycles({ client: controller.client, roots, ledger: new Ledger(site.uuid), random, atOnce: AT_ONCE });
    const began = performance.now();
    await run.cycle((number) => number <= cycles);
    const seconds = (performance.now() - began) / 1000;
    await until(() => site.read((pool) => assert.equal(pool.usage().freeBytes, pool.usage().totalBytes, 'memory has not come back')));
    assert.deepEqual(fsck(site.device).problems, []);
    assert.equal(site.read((pool) => run.ledger.account(pool)), 0, 'slots guard, though nobody was killed');
    return { cycles, seconds, timesReused: run.bytes / (UNITS * UNIT), lateReads: run.lateReads };
  });
}

export interface CyclesOptions {
  readonly client: ControllerClient;
  /** Where each host has the pool mounted. */
  readonly roots: readonly string[];
  readonly ledger: Ledger;
  readonly random: Random;
  /** Volumes that are there at the same time, at most. */
  readonly atOnce: number;
  /** What else is done with each volume before it is deleted. */
  readonly use?: (volume: LedgerVolume) => Promise<void>;
  /** Makes a call, again where that is right. */
  readonly repeat?: <T>(call: () => Promise<T>) => Promise<T>;
}

/** Volumes that are made, written, read and deleted, one after the other. */
export class Cycles {
  readonly ledger: Ledger;
  bytes = 0;
  lateReads = 0;
  readonly #options: CyclesOptions;
  readonly #keptOpen: FileHandle[] = [];
  #names = 0;

  constructor(options: CyclesOptions) {
    this.#options = options;
    this.ledger = options.ledger;
  }

  /** Goes on for as long as there shall be one more; they are numbered from 1. */
  async cycle(more: (number: number) => boolean | Promise<boolean>): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#options.atOnce }, async () => {
        for (let number = ++this.#names; await more(number); number = ++this.#names) await this.#one(`pvc-${number}`);
      }));
    } finally {
      for (const file of this.#keptOpen.splice(0)) await this.#readLate(file);
    }
  }

  async #one(name: string): Promise<void> {
    const { client, roots, random, use, repeat = once } = this.#options;
    const volume = this.ledger.asks(name, (1 + random.below(2)) * UNIT);
    await this.#make(volume);
    const here = random.below(roots.length);
    const there = (here + 1) % roots.length;
    const files = await Promise.all([here, there].map((host) => open(`${roots[host]}/${name}/data`, 'r+')));
    try {
      await expectContent(files[random.below(2)], Buffer.alloc(volume.size), `${name} at first`);
      const content = contentOf(name, volume.size);
      await files[0].write(content, 0, volume.size, 0);
      await expectContent(files[1], content, `${name} on the other host`);
      await use?.(volume);
      volume.state = 'deletion asked for';
      await repeat(() => deleteVolume(client, volume.id));
      this.ledger.wasDeleted(volume);
    } catch (error) {
      await Promise.all(files.map((file) => file.close()));
      throw error;
    }
    this.bytes += volume.size;
    await this.#readDeleted(files[1]);
    await files[1].close();
    this.#keptOpen.push(files[0]);
    if (this.#keptOpen.length > KEPT_OPEN) await this.#readLate(this.#keptOpen.shift()!);
  }

  async #make(volume: LedgerVolume): Promise<void> {
    const { client, repeat = once } = this.#options;
    for (const began = performance.now(); ;) {
      try {
        await repeat(() => createVolume(client, volume.name, { capacity_range: { required_bytes: volume.size } }));
        return this.ledger.wasMade(volume);
      } catch (error) {
        const isFull = (error as ServiceError).code === status.RESOURCE_EXHAUSTED;
        if (!isFull || performance.now() - began > LONGEST_WAIT_MS) throw error;
        await sleep(PATIENCE_MS); // what was deleted is on its way back
      }
    }
  }

  /** Its memory is another volume's by now. */
  async #readLate(file: FileHandle): Promise<void> {
    try {
      await this.#readDeleted(file);
    } finally {
      await file.close();
    }
  }

  async #readDeleted(file: FileHandle): Promise<void> {
    this.lateReads++;
    const bytes = Buffer.alloc(UNIT);
    await assert.rejects(file.read(bytes, 0, UNIT, 0), { errno: ESTALE }, 'a deleted volume could be read');
    assert.ok(bytes.equals(Buffer.alloc(UNIT)), 'bytes came with ESTALE');
  }
}

const once = <T>(call: () => Promise<T>): Promise<T> => call();

/** Never a zero byte, and in every 64 bytes the volume's own name. */
function contentOf(name: string, size: number): Buffer {
  return Buffer.alloc(size, name.padEnd(64, '.'));
}

async function expectContent(file: FileHandle, expected: Buffer, what: string): Promise<void> {
  const bytes = Buffer.alloc(expected.length, 0xee);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  assert.equal(bytesRead, expected.length, what);
  if (bytes.equals(expected)) return;
  const at = bytes.findIndex((byte, k) => byte !== expected[k]);
  assert.fail(`${what}: byte ${at} is of ${JSON.stringify(bytes.toString('latin1', at, at + 64))}`);
}

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB } from '../../src/famfs/units.ts';
import { Application } from '../faults/application.ts';
import type { ControllerProcess } from '../faults/controller-process.ts';
import type { HostProcesses } from '../faults/host-processes.ts';
import { Ledger } from '../faults/ledger.ts';
import { Site, UNIT } from '../faults/site.ts';
import { contentOf } from '../faults/survival-client.ts';
import type { Random } from '../fuzz/random.ts';
import { createVolume, deleteVolume } from '../support/csi-requests.ts';

const FILE = 8 * MIB;
const FIO_FILE = 32 * MIB;
/** Units of memory for volumes that come and go. */
const CHURNED = 48;
/** Volumes that are asked for names and attributes. */
const STATTED = 128;
const STATTED_PREFIX = 'many-';
const FIO = 'fio';
const SLOT = 544;
const LEAST_LOG = 8 * MIB;

interface Worker {
  readonly name: string;
  readonly script: string;
  readonly role?: 'reader' | 'writer';
}

const WORKERS: readonly Worker[] = [
  { name: 'reader-1', script: '../faults/survival-client.ts', role: 'reader' },
  { name: 'reader-2', script: '../faults/survival-client.ts', role: 'reader' },
  { name: 'writer-1', script: '../faults/survival-client.ts', role: 'writer' },
  { name: 'writer-2', script: '../faults/survival-client.ts', role: 'writer' },
  { name: 'mapped-1', script: './mapping-client.ts' },
  { name: 'mapped-2', script: './mapping-client.ts' },
];

/** Applications by name. */
export type Applications = ReadonlyMap<string, Application>;

/** A pool with a controller and a host, and volumes that stay for the whole run. */
export class Scene {
  readonly site: Site;
  readonly ledger: Ledger;
  readonly random: Random;
  controller!: ControllerProcess;
  host!: HostProcesses;
  /** Where the pool is mounted, as this process reaches it. */
  root = '';

  /** Of a pool with room for that many volumes that come and go, one after the other. */
  constructor(volumes: number, random: Random) {
    const slots = 2 * (volumes + STATTED + WORKERS.length + 1);
    const bytes = WORKERS.length * FILE + FIO_FILE + (STATTED + CHURNED) * UNIT;
    this.site = new Site(bytes, LEAST_LOG * 2 ** Math.max(0, Math.ceil(Math.log2(slots * SLOT / LEAST_LOG))));
    this.ledger = new Ledger(this.site.uuid);
    this.random = random;
  }

  async begin(): Promise<void> {
    this.controller = this.site.startController('one');
    await this.controller.serves();
    this.host = await this.site.startHost('red');
    this.root = this.host.reach(await this.host.mount());
    const many = Array.from({ length: STATTED }, (_, k) => ({ name: `${STATTED_PREFIX}${k}`, size: UNIT }));
    for (const { name, size } of [...WORKERS.map(({ name }) => ({ name, size: FILE })), { name: FIO, size: FIO_FILE }, ...many]) {
      const volume = this.ledger.asks(name, size);
      await createVolume(this.controller.client, name, { capacity_range: { required_bytes: size } });
      this.ledger.wasMade(volume);
    }
  }

  get fioFile(): string {
    return this.#data(FIO);
  }

  /** Starts what works on these volumes: readers, writers, users of mappings, and one that asks for attributes. */
  async startApplications(keep: Map<string, Application>): Promise<void> {
    const start = async (name: string, script: string, ...args: string[]) =>
      void keep.set(name, await Application.start(fileURLToPath(new URL(script, import.meta.url)), ...args));
    for (const { name, script, role } of WORKERS) {
      const seed = this.random.below(2 ** 30);
      const file = this.#data(name);
      if (role !== undefined) await write(file, contentOf(FILE, seed));
      await start(name, script, ...(role === undefined ? [] : [role]), file, String(seed));
    }
    await start('stat storm', './storm-client.ts', this.root, STATTED_PREFIX, String(this.random.below(2 ** 30)));
  }

  /** Deletes all volumes that there are. */
  async clearAway(): Promise<void> {
    for (const volume of this.ledger.all) {
      await deleteVolume(this.controller.client, volume.id);
      this.ledger.wasDeleted(volume);
    }
  }

  #data(name: string): string {
    return join(this.root, name, 'data');
  }
}

async function write(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(content, 0, content.length, 0);
  } finally {
    await file.close();
  }
}

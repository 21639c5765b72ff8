import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { status, type ServiceError } from '@grpc/grpc-js';
import type { Random } from '../fuzz/random.ts';
import { attach, createVolume, deleteVolume, publish, stage, unpublish, unstage } from '../support/csi-requests.ts';
import { freePort } from '../support/http-role.ts';
import { ClientProcess } from './client-process.ts';
import type { ControllerProcess } from './controller-process.ts';
import type { HostProcesses } from './host-processes.ts';
import { Site, UNIT } from './site.ts';

/** Units of memory for files. */
const UNITS = 32;
const SCRIBBLER = fileURLToPath(new URL('./scribbler.ts', import.meta.url));
/** What a volume is filled with by its users. */
const CONTENT = { red: 0x52, blue: 0x42, shared: 0x53 };
/** Volumes made and deleted before, so that there are entries of all kinds. */
const EARLIER = 12;

/** A staged volume, and the application that works on it. */
interface Use {
  readonly host: HostProcesses;
  readonly id: string;
  readonly staging: string;
  readonly target: string;
  readonly application: ClientProcess;
}

/** A pool with a controller and two hosts, on which applications work on staged volumes all the time. */
export class Victims {
  readonly site = new Site(UNITS * UNIT);
  controller!: ControllerProcess;
  hosts: HostProcesses[] = [];
  readonly #uses: Use[] = [];
  #processes: unknown;

  /** Does something to them, and ends them; they have to be as well as before. */
  static use<T>(random: Random, work: (victims: Victims) => Promise<T>): Promise<{ result: T; blocks: number; longestMs: number }> {
    const victims = new Victims();
    return victims.site.use(async () => {
      try {
        await victims.#start(random);
        const result = await work(victims);
        const rested = await victims.#rest();
        await victims.#leave();
        return { result, ...rested };
      } finally {
        for (const { application } of victims.#uses) await application.end();
      }
    });
  }

  async #start(random: Random): Promise<void> {
    const { site } = this;
    this.controller = site.startController('one', { httpPort: await freePort() });
    await this.controller.serves();
    this.hosts = await Promise.all(['red', 'blue'].map((name) => site.startHost(name)));
    const { client } = this.controller;
    const earlier: string[] = [];
    for (let k = 0; k < EARLIER; k++) earlier.push((await createVolume(client, `earlier-${k}`, { capacity_range: { required_bytes: UNIT } })).volume_id);
    for (const [name, byte] of Object.entries(CONTENT)) {
      const { volume_id: id } = await createVolume(client, name, { capacity_range: { required_bytes: 2 * UNIT } });
      for (const host of this.hosts.filter((one) => name === 'shared' || one.name === name)) await this.#begin(host, name, id);
      const [{ host, target }] = this.#uses.slice(-1);
      const file = await open(host.reach(join(target, 'data')), 'r+');
      await file.write(Buffer.alloc(2 * UNIT, byte), 0, 2 * UNIT, 0);
      await file.close();
    }
    for (const id of earlier.slice(EARLIER / 2)) await deleteVolume(client, id);
    for (const { application, id } of this.#uses) {
      const byte = CONTENT[id.slice(id.indexOf('/') + 1) as keyof typeof CONTENT];
      await application.ask({ do: 'work', byte, seed: random.word() });
    }
    this.#processes = this.hosts.map(({ processes }) => processes);
  }

  async #begin(host: HostProcesses, name: string, id: string): Promise<void> {
    const [staging, target] = ['staging', 'target'].map((kind) => join(host.directory, `${kind}-${name}`));
    mkdirSync(staging);
    const context = await attach(this.controller.client, id, host.name);
    await stage(host.node, id, staging);
    await publish(host.node, id, staging, target, { context });
    this.#uses.push({ host, id, staging, target, application: await ClientProcess.open(host, join(target, 'data')) });
  }

  /** Nobody crashed, and nobody read or wrote anything but their own; answers how many blocks that were, and the longest that one took. */
  async #rest(): Promise<{ blocks: number; longestMs: number }> {
    let [blocks, longestMs] = [0, 0];
    for (const { application, id, host } of this.#uses) {
      const { work } = await application.ask({ do: 'rest' });
      assert.deepEqual({ wrong: work!.wrong, gone: work!.gone }, { wrong: [], gone: 0 }, `${id} on ${host.name}`);
      blocks += work!.good;
      longestMs = Math.max(longestMs, work!.longestMs);
    }
    this.mustLive();
    return { blocks, longestMs };
  }

  /** Throws unless every process is the one that it was. */
  mustLive(): void {
    assert.equal(this.controller.hasEnded, false, this.controller.log);
    for (const host of this.hosts) assert.equal(host.hasEnded, false, host.log);
    assert.deepEqual(this.hosts.map(({ processes }) => processes), this.#processes, 'a serving process was replaced');
  }

  async #leave(): Promise<void> {
    for (const { host, id, staging, target, application } of this.#uses) {
      await application.end();
      await unpublish(host.node, id, target);
      await unstage(host.node, id, staging);
    }
  }
}

export interface HostileFigures {
  readonly seconds: number;
  /** Blocks that applications read as they should be. */
  readonly blocks: number;
  /** What was scribbled, and how often. */
  readonly scribbles: Readonly<Record<string, number>>;
  /** How calls of the controller ended, by gRPC code. */
  readonly calls: Readonly<Record<string, number>>;
}

/** Lets another host store nonsense into the pool's metadata for a while. Throws AssertionError. */
export async function scribbleAtRandom(forMs: number, random: Random): Promise<HostileFigures> {
  const { result, blocks } = await Victims.use(random, async (victims) => {
    const entries = [2 * EARLIER, 2 * Object.keys(CONTENT).length]; // of a directory and a file each
    const scribbler = spawn(process.execPath, [SCRIBBLER, victims.site.device, String(random.word()), ...entries.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = text(scribbler.stdout!);
    try {
      const calls = await callFor(victims, forMs, scribbler);
      scribbler.kill('SIGTERM');
      return { calls, scribbles: JSON.parse(await said) as Record<string, number> };
    } finally {
      scribbler.kill('SIGKILL');
      if (scribbler.exitCode === null && scribbler.signalCode === null) await once(scribbler, 'exit');
    }
  });
  return { seconds: forMs / 1000, blocks, ...result };
}

/** Makes volumes, reads them, and deletes them. Calls may fail, in words; what can be read of a new volume is zeros. */
async function callFor(victims: Victims, forMs: number, scribbler: ChildProcess): Promise<Record<string, number>> {
  const { client } = victims.controller;
  const calls: Record<string, number> = {};
  const attempt = async (work: () => Promise<unknown>) => {
    const code = await work().then(() => status.OK, (error: ServiceError) => {
      if (error.code === undefined) throw error;
      return error.code;
    });
    calls[status[code]] = (calls[status[code]] ?? 0) + 1;
    return code === status.OK;
  };
  for (let [k, began] = [0, performance.now()]; performance.now() - began < forMs; k++) {
    assert.equal(scribbler.exitCode, null, 'the scribbler has ended');
    victims.mustLive();
    if (await attempt(() => createVolume(client, `new-${k}`, { capacity_range: { required_bytes: UNIT } }))) await expectZeros(victims.hosts[0], victims.site.uuid, `new-${k}`);
    await attempt(() => deleteVolume(client, `${victims.site.uuid}/new-${k}`));
    await attempt(() => new Promise((resolve, reject) => client.listVolumes({}, (error, answer) => (error ? reject(error) : resolve(answer)))));
    await sleep(10);
  }
  return calls;
}

/** What a host sees of a new volume is zeros, where it sees it. */
export async function expectZeros(host: HostProcesses, uuid: string, name: string): Promise<void> {
  const file = await open(host.reach(join(host.directory, 'mounts', uuid, name, 'data')), 'r').catch(() => undefined);
  if (file === undefined) return;
  try {
    const bytes = Buffer.alloc(UNIT);
    await file.read(bytes, 0, UNIT, 0).catch(() => undefined);
    assert.ok(bytes.equals(Buffer.alloc(UNIT)), `${name} shows what is not its own`);
  } finally {
    await file.close();
  }
}

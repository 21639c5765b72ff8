import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { csi, fused } from '../src/csi/server/protocols.ts';
import { openMemory, sourceOf } from '../src/famfs/pool/pool-source.ts';
import { Pool } from '../src/famfs/pool/pool.ts';
import { Reclaim } from '../src/famfs/writer/reclaim.ts';
import { PoolWriter } from '../src/famfs/writer/writer.ts';
import { clusterUuid } from '../src/state/directory.ts';
import { type Role, startRole, stopRole, untilServing } from '../test/demo/host.ts';
import { program } from '../test/harness/paths.ts';
import { remove, shmFile } from '../test/harness/temp.ts';
import { type ControllerClient, createVolume, deleteVolume } from '../test/support/csi-requests.ts';
import { plain, unary } from '../test/support/grpc-client.ts';
import { type BenchResult, median } from './result.ts';

const GIB = 2 ** 30;
const AU = 2 ** 21;
const FILL_ROUNDS = 5;
const CREATIONS = 600;
const WARM_UP = 100;
const DELETIONS = 10;
/** More than a scrub without a limit does during a few creations, and less than half of a pool. */
const LARGE = 3 * GIB;
const POLL_MS = 5;

/**
 * What it costs to give memory back: beside a plain fill, and for those who create volumes meanwhile.
 * On ramfs, which cannot take pages out of a file: memory there is zeroed through the mapping, as that
 * of a real device is.
 */
export async function run(): Promise<BenchResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'famfs-bench-'));
  try {
    execFileSync('mount', ['-t', 'ramfs', 'famfs-bench', directory]);
    try {
      return [
        await compareScrub(directory, join(directory, 'pool'), 'through the mapping'), await compareScrub(directory, shmFile('pool'), 'on tmpfs, by its holes'),
        ...await compareCreations(directory), await timeReturn(directory),
      ];
    } finally {
      execFileSync('umount', [directory]);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Zeroing through the protocol, in steps with claim reads, beside one fill of the same mapping. */
async function compareScrub(directory: string, device: string, how: string): Promise<BenchResult> {
  format(device, '2GiB', directory);
  const memory = openMemory(sourceOf(device));
  const pool = Pool.on(memory);
  const identity = { clusterUuid: await clusterUuid(directory), hostId: 'bench', hostDirectory: mkdtempSync(join(directory, 'scrub-')) };
  const writer = await PoolWriter.acquire(pool, { identity });
  const reclaim = new Reclaim({ writer, rate: Infinity, signal: new AbortController().signal });
  const scrubs: number[] = [];
  const fills: number[] = [];
  for (let round = -1; round < FILL_ROUNDS; round++) { // the first one gets the memory from the system
    const [{ node }] = writer.create([{ kind: 'file', path: 'x', size: GIB, mode: 0o644, uid: 0, gid: 0 }]);
    const windows = pool.view.ranges(node, 0, GIB).map(({ start, end }) => memory.window(start, end - start));
    const filled = timedSync(() => windows.forEach(({ bytes }) => bytes.fill(0)));
    writer.remove('x');
    const scrubbed = await timed(() => reclaim.run(async () => undefined));
    if (round < 0) continue;
    fills.push(filled);
    scrubs.push(scrubbed);
  }
  writer.close();
  pool.close();
  remove(device);
  const rate = (ms: number) => `${(1000 / ms).toFixed(1)} GiB/s`;
  const [scrub, fill] = [median(scrubs), median(fills)];
  return { name: `scrub ${how} / fill of the same mapping, time`, ratio: scrub / fill, limit: 1 / 0.8, detail: `${rate(scrub)} / ${rate(fill)}, median of ${FILL_ROUNDS}` };
}

/** Three controllers take turns: one at rest, one that zeroes at the default rate, one as fast as it can. */
async function compareCreations(directory: string): Promise<BenchResult[]> {
  const idle = await Site.start(directory, 'idle', []);
  const limited = await Site.start(directory, 'limited', []);
  const free = await Site.start(directory, 'free', ['--scrub-rate', '0']);
  const times = new Map<Site, number[]>([[idle, []], [limited, []], [free, []]]);
  try {
    for (let round = 0; round < WARM_UP + CREATIONS; round++) {
      for (const [site, found] of times) {
        if (site !== idle && !site.isScrubbing()) await site.deleteLarge();
        const before = site.isScrubbing();
        const took = await timed(() => createVolume(site.client, `v${round}`, { capacity_range: { required_bytes: AU } }));
        if (round >= WARM_UP && (site === idle || (before && site.isScrubbing()))) found.push(took);
      }
    }
    const us = (values: number[]) => `${Math.round(median(values) * 1000)} us (${values.length} creations)`;
    const [rest, slow, fast] = [...times.values()] as [number[], number[], number[]];
    return [
      { name: 'create during a scrub at the default rate / at rest, p50', ratio: median(slow) / median(rest), limit: 1.5, detail: `${us(slow)} / ${us(rest)}` },
      { name: 'create during a scrub without a limit / at rest, p50', ratio: median(fast) / median(rest), limit: 1.5, detail: `${us(fast)} / ${us(rest)}` },
    ];
  } finally {
    for (const site of times.keys()) await site.stop();
  }
}

/** From DeleteVolume to memory that can be used again, with two hosts that have the pool mounted. */
async function timeReturn(directory: string): Promise<BenchResult> {
  const site = await Site.start(directory, 'return', []);
  const hosts: Role[] = [];
  try {
    for (const name of ['a', 'b']) hosts.push(await site.mountOn(name));
    const took: number[] = [];
    for (let round = 0; round < DELETIONS; round++) {
      await createVolume(site.client, 'v', { capacity_range: { required_bytes: 64 * 2 ** 20 } });
      await sleep(1000 * Math.random()); // at any moment between two looks of the hosts
      took.push(await timed(async () => {
        await deleteVolume(site.client, `${site.pool.uuid}/v`);
        while (site.usage().quarantinedBytes > 0) await sleep(POLL_MS);
      }));
    }
    return {
      name: 'from DeleteVolume to reusable memory, two members, seconds', ratio: median(took) / 1000,
      detail: `64 MiB, median of ${DELETIONS}: ${Math.round(Math.min(...took))} to ${Math.round(Math.max(...took))} ms`,
    };
  } finally {
    for (const host of hosts) await stopRole(host);
    await site.stop();
  }
}

/** A controller with a pool of its own. */
class Site {
  readonly client: ControllerClient;
  readonly pool: Pool;
  readonly #role: Role;
  readonly #device: string;
  readonly #directory: string;

  private constructor(directory: string, device: string, role: Role, client: ControllerClient) {
    this.#directory = directory;
    this.#device = device;
    this.#role = role;
    this.client = client;
    this.pool = Pool.open(sourceOf(device), { writable: false });
  }

  static async start(parent: string, name: string, options: readonly string[]): Promise<Site> {
    const directory = join(parent, name);
    const device = join(directory, 'pool');
    mkdirSync(directory);
    format(device, '8GiB', directory);
    const socket = join(directory, 'csi.sock');
    const role = startRole('controller', [], [
      program, 'controller', '--pool', `p=${device}`, '--node-id', 'bench', '--state-dir', directory, '--host-dir', join(directory, 'host'),
      '--endpoint', `unix://${socket}`, ...options,
    ], join(parent, `${name}.log`));
    await untilServing(role, socket);
    return new Site(directory, device, role, new csi.Controller(`unix://${socket}`, plain));
  }

  /** Deletes a large volume, which takes a while to zero. */
  async deleteLarge(): Promise<void> {
    if (this.usage().freeBytes > LARGE) await createVolume(this.client, 'large', { capacity_range: { required_bytes: LARGE } });
    await deleteVolume(this.client, `${this.pool.uuid}/large`);
  }

  /** Whether memory is being zeroed at this moment. */
  isScrubbing(): boolean {
    return (this.pool.replayer.ring.ruling()?.scrubbing ?? 0n) !== 0n;
  }

  usage(): { quarantinedBytes: number; freeBytes: number } {
    this.pool.refresh();
    return this.pool.usage();
  }

  /** Starts the data plane of a host and mounts the pool there. */
  async mountOn(host: string): Promise<Role> {
    const hostDirectory = join(this.#directory, host);
    const socket = join(hostDirectory, 'fused.sock');
    const role = startRole(`fused-${host}`, [], [
      program, 'fused', '--pool', `p=${this.#device}`, '--node-id', host, '--state-dir', this.#directory, '--host-dir', hostDirectory,
      '--fused-endpoint', `unix://${socket}`,
    ], join(this.#directory, `${host}.log`));
    await untilServing(role, socket);
    const client = new fused.Fused(`unix://${socket}`, plain);
    await unary(client, client.ensureSession.bind(client), { pool_uuid: this.pool.uuid });
    client.close();
    return role;
  }

  async stop(): Promise<void> {
    this.client.close();
    this.pool.close();
    await stopRole(this.#role);
    remove(this.#device);
  }
}

function format(device: string, size: string, stateDir: string): void {
  execFileSync(program, ['mkfs', device, '--simulate', size, '--log-size', '8MiB', '--state-dir', stateDir], { stdio: 'pipe' });
}

function timedSync(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

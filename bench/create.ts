import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csi } from '../src/csi/server/protocols.ts';
import { sourceOf } from '../src/famfs/pool/pool-source.ts';
import { Pool } from '../src/famfs/pool/pool.ts';
import { PoolWriter } from '../src/famfs/writer/writer.ts';
import { clusterUuid } from '../src/state/directory.ts';
import { startRole, stopRole, untilServing } from '../test/demo/host.ts';
import { program } from '../test/harness/paths.ts';
import { shmFile } from '../test/harness/temp.ts';
import { type ControllerClient, createVolume } from '../test/support/csi-requests.ts';
import { plain, unary } from '../test/support/grpc-client.ts';
import { type BenchResult, median } from './result.ts';

const FEW = 100;
const MANY = 10_000;
const ROUNDS = 300;
const WARM_UP = 100;
const AU = 2 ** 21;

/**
 * What a creation through gRPC costs: beside an empty call, and with many volumes beside few. One
 * controller serves both pools, and the calls take turns, so that whatever else the machine does
 * hits them alike.
 */
export async function run(): Promise<BenchResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'famfs-bench-'));
  const hostDirectory = join(directory, 'host');
  const stateDir = join(directory, 'state');
  const pools = { few: await makePool(stateDir, hostDirectory, FEW), many: await makePool(stateDir, hostDirectory, MANY) };
  const socket = join(directory, 'csi.sock');
  const controller = startRole('controller', [], [
    program, 'controller', '--pool', `few=${pools.few}`, '--pool', `many=${pools.many}`, '--node-id', 'bench',
    '--state-dir', stateDir, '--host-dir', hostDirectory, '--endpoint', `unix://${socket}`,
  ], join(directory, 'controller.log'));
  const client = new csi.Controller(`unix://${socket}`, plain);
  const identity = new csi.Identity(`unix://${socket}`, plain);
  try {
    await untilServing(controller, socket);
    return compare(await measure(client, () => unary(identity, identity.probe.bind(identity), {})));
  } finally {
    client.close();
    identity.close();
    await stopRole(controller);
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Figures {
  readonly empty: number[];
  readonly few: number[];
  readonly many: number[];
}

async function measure(client: ControllerClient, empty: () => Promise<unknown>): Promise<Figures> {
  const figures: Figures = { empty: [], few: [], many: [] };
  const create = (pool: string, round: number) =>
    createVolume(client, `bench-${pool}-${round}`, { capacity_range: { required_bytes: AU }, parameters: { pool } });
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const times = [await timed(empty), await timed(() => create('few', round)), await timed(() => create('many', round))];
    if (round < WARM_UP) continue;
    figures.empty.push(times[0]!);
    figures.few.push(times[1]!);
    figures.many.push(times[2]!);
  }
  return figures;
}

function compare(figures: Figures): BenchResult[] {
  const [empty, few, many] = [figures.empty, figures.few, figures.many].map(median) as [number, number, number];
  const us = (ms: number) => `${Math.round(ms * 1000)} us`;
  return [
    { name: 'create / empty call, p50', ratio: few / empty, limit: 3, detail: `${us(few)} / ${us(empty)}, ${ROUNDS} rounds` },
    {
      name: `create with ${MANY} / ${FEW} volumes, p50`, ratio: many / few, limit: 1.3,
      detail: `${us(many)} / ${us(few)}, ${ROUNDS} rounds`,
    },
  ];
}

/** A pool with so many volumes, written as the controller writes them, but without a call for each. */
async function makePool(stateDir: string, hostDirectory: string, volumes: number): Promise<string> {
  const device = shmFile('pool');
  execFileSync(program, ['mkfs', device, '--simulate', '64GiB', '--state-dir', stateDir], { stdio: 'pipe' });
  const pool = Pool.open(sourceOf(device), { writable: true });
  const identity = { clusterUuid: await clusterUuid(stateDir), hostId: 'bench', hostDirectory };
  const writer = await PoolWriter.acquire(pool, { identity });
  for (let number = 0; number < volumes; number++) {
    const path = `prefilled-${number}`;
    const record = { name: path, kind: 'volume', parameters: {}, createdAt: Date.now(), capacity: AU };
    writer.create([
      { kind: 'directory', path, mode: 0o755, uid: 0, gid: 0, record },
      { kind: 'file', path: `${path}/data`, size: AU, mode: 0o644, uid: 0, gid: 0 },
    ]);
  }
  writer.close();
  pool.close();
  return device;
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

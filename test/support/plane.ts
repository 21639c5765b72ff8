import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import { fused } from '../../src/csi/server/protocols.ts';
import { runFused } from '../../src/fused/main.ts';
import type { EnsureSessionResponse__Output } from '../../src/generated/famfs/fused/v1/EnsureSessionResponse.ts';
import type {
  GetVolumeStatisticsResponse__Output as Statistics,
} from '../../src/generated/famfs/fused/v1/GetVolumeStatisticsResponse.ts';
import type { ListPoolsResponse__Output } from '../../src/generated/famfs/fused/v1/ListPoolsResponse.ts';
import { Health } from '../../src/metrics/health.ts';
import { Metrics } from '../../src/metrics/metrics.ts';
import type { Member, PoolNotice } from '../../src/state/interfaces.ts';
import { plain, unary } from './grpc-client.ts';
import { until } from './until.ts';

export interface Configured {
  name: string;
  device: string;
  uuid?: string;
}

const socketOf = (hostDirectory: string) => join(hostDirectory, 'fused.sock');

/** A client of a host's data plane, wherever that runs. */
export class PlaneClient {
  readonly #client: InstanceType<typeof fused.Fused>;

  constructor(hostDirectory: string) {
    this.#client = new fused.Fused(`unix://${socketOf(hostDirectory)}`, plain);
  }

  pools = async () => (await unary<object, ListPoolsResponse__Output>(this.#client, this.#client.listPools, {})).pools;
  locate = (uuid: string, directory: string) => unary<object, EnsureSessionResponse__Output>(
    this.#client, this.#client.ensureSession, { pool_uuid: uuid, directory });
  ensure = async (uuid: string) => (await this.locate(uuid, '')).path;
  group = (uuid: string, directory: string, gid?: number) => unary(
    this.#client, this.#client.setMountGroup, { pool_uuid: uuid, directory, ...(gid === undefined ? {} : { gid }) });
  statistics = (uuid: string, directory: string) => unary<object, Statistics>(
    this.#client, this.#client.getVolumeStatistics, { pool_uuid: uuid, directory });
  end = (uuid: string) => unary(this.#client, this.#client.endSession, { pool_uuid: uuid });

  disconnect(): void {
    this.#client.close();
  }
}

/** A running data plane in this process, and a client of it. */
export class Plane extends PlaneClient {
  /** What the members know of hosts before. */
  readonly records: Member[];
  /** What the members were told, but for acknowledgements. */
  readonly events: string[] = [];
  /** The change word that was acknowledged last. */
  acknowledged = 0n;
  readonly metrics = new Metrics();
  /** What people were told of pools. */
  readonly notices: PoolNotice[] = [];
  /** What it logged. */
  readonly lines: string[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  private constructor(hostDirectory: string, pools: Configured[], poolsFile?: string, records: Member[] = []) {
    super(hostDirectory);
    this.records = records;
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.lines.push(chunk.toString());
        done();
      },
    });
    this.#done = runFused({
      pools: pools.map((pool) => ({ ...pool, format: 'never' })), ...(poolsFile === undefined ? {} : { poolsFile }),
      followMs: 50, hostDirectory, endpoint: `unix://${socketOf(hostDirectory)}`, signal: this.#stop.signal,
      log: createLogger({ format: format.json(), transports: [new transports.Stream({ stream })] }),
      health: new Health(), metrics: this.metrics,
      notices: { pool: (notice) => void this.notices.push(notice), volume: () => {} },
      member: {
        host: 'here', bootId: 'this boot',
        members: {
          register: async ({ pool, acknowledged }) => {
            if (acknowledged === undefined) this.events.push(`register ${pool}`);
            else this.acknowledged = BigInt(acknowledged);
          },
          leave: async (uuid) => void this.events.push(`leave ${uuid}`),
          list: async () => this.records,
          release: async () => false,
        },
      },
    });
  }

  static async start(hostDirectory: string, pools: Configured[], poolsFile?: string, records: Member[] = []): Promise<Plane> {
    const plane = new Plane(hostDirectory, pools, poolsFile, records);
    await until(() => assert.ok(fs.existsSync(socketOf(hostDirectory)))); // not before it goes on with what it finds
    return plane;
  }

  async stop(): Promise<void> {
    this.disconnect();
    this.#stop.abort();
    await this.#done;
  }
}

import { credentials, type ServiceError } from '@grpc/grpc-js';
import { fused } from '../csi/server/protocols.ts';
import type { VolumeId } from '../csi/volume-id.ts';
import type { EnsureSessionResponse__Output } from '../generated/famfs/fused/v1/EnsureSessionResponse.ts';
import type { GetVolumeStatisticsResponse__Output } from '../generated/famfs/fused/v1/GetVolumeStatisticsResponse.ts';
import type { ListPoolsResponse__Output } from '../generated/famfs/fused/v1/ListPoolsResponse.ts';
import type { SetMountGroupResponse__Output } from '../generated/famfs/fused/v1/SetMountGroupResponse.ts';

const DEADLINE_MS = 30_000;

type Reply<Response> = (error: ServiceError | null, response?: Response) => void;

/** The host's data plane, `famfs-csi fused`, through its control socket. Failures keep their gRPC code. */
export class DataPlane {
  readonly #client: InstanceType<typeof fused.Fused>;

  constructor(socket: string) {
    this.#client = new fused.Fused(`unix://${socket}`, credentials.createInsecure(), {
      // It may be restarted at any time: try again soon, not after the minute that gRPC would wait.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
    });
  }

  /**
   * UUIDs of the pools that this host can serve, sorted. What is wrong with a pool that is mounted
   * already keeps nobody from using it.
   */
  async pools(): Promise<string[]> {
    const { pools } = await ask<ListPoolsResponse__Output>((reply) => this.#client.listPools({}, deadline(), reply));
    const usable = pools.filter(({ uuid, problem, session_path: session }) => uuid !== '' && (problem === '' || session !== ''));
    return [...new Set(usable.map(({ uuid }) => uuid))].sort();
  }

  /**
   * Where a volume's pool is mounted, after mounting it if needed, and the node id of the volume's directory; a data
   * plane of an older version does not tell that, and does not look whether there is one.
   */
  async ensureSession({ pool, directory }: VolumeId): Promise<{ path: string; node: string | undefined }> {
    const { path, directory_node: node } = await ask<EnsureSessionResponse__Output>((reply) =>
      this.#client.ensureSession({ pool_uuid: pool, directory }, deadline(), reply));
    return { path, node: node === '0' ? undefined : node };
  }

  /**
   * Presents a volume with a group, or, without one, as it is. `readonly`: for somebody who only reads; then no group is
   * set where everybody may read all of it. Answers whether one is set; a data plane of an older version always sets it.
   */
  async setMountGroup({ pool, directory }: VolumeId, gid?: number, readonly = false): Promise<boolean> {
    const request = { pool_uuid: pool, directory, readonly, ...(gid === undefined ? {} : { gid }) };
    const { not_needed: isNotNeeded } = await ask<SetMountGroupResponse__Output>((reply) =>
      this.#client.setMountGroup(request, deadline(), reply));
    return gid !== undefined && !isNotNeeded;
  }

  async statistics({ pool, directory }: VolumeId): Promise<{ bytes: number; files: number }> {
    const answer = await ask<GetVolumeStatisticsResponse__Output>((reply) =>
      this.#client.getVolumeStatistics({ pool_uuid: pool, directory }, deadline(), reply));
    return { bytes: Number(answer.total_bytes), files: Number(answer.file_count) };
  }

  close(): void {
    this.#client.close();
  }
}

function deadline(): { deadline: number } {
  return { deadline: Date.now() + DEADLINE_MS };
}

function ask<Response>(call: (reply: Reply<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error) reject(error);
      else resolve(response!);
    });
  });
}

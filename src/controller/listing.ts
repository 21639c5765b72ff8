import { problemWith } from '../csi/capabilities.ts';
import { refuse } from '../csi/errors.ts';
import { csi } from '../csi/server/protocols.ts';
import { poolTopology, reachesPool } from '../csi/topology.ts';
import { formatVolumeId } from '../csi/volume-id.ts';
import type { PoolNode } from '../famfs/pool/pool.ts';
import type { GetCapacityRequest__Output } from '../generated/csi/v1/GetCapacityRequest.ts';
import type { GetCapacityResponse } from '../generated/csi/v1/GetCapacityResponse.ts';
import type { ListVolumesRequest__Output } from '../generated/csi/v1/ListVolumesRequest.ts';
import type { ListVolumesResponse } from '../generated/csi/v1/ListVolumesResponse.ts';
import type { Attachments } from '../state/interfaces.ts';
import { parseParameters } from './layout/parameters.ts';
import { isVolume, SLOTS_PER_VOLUME } from './layout/volume-layout.ts';
import { formatToken, type PagePosition, parseToken } from './page-token.ts';
import type { ManagedPool } from './pools/managed-pool.ts';
import type { ControllerPools } from './pools/pools.ts';

/** Bytes of a page: clients of gRPC refuse messages of more than 4 MiB, and a page is made while nothing else is answered. */
const PAGE_MAX_BYTES = 2 ** 20;

/** What there is: volumes and room for more. Reads only. */
export class Listing {
  readonly #pools: ControllerPools;
  readonly #attachments: Attachments;
  readonly #driver: string;

  constructor(pools: ControllerPools, attachments: Attachments, driver: string) {
    this.#pools = pools;
    this.#attachments = attachments;
    this.#driver = driver;
  }

  /**
   * One page of the volumes in order of creation, pool by pool: as many as were asked for, and as fit into a message
   * that clients take. A pool that cannot be read is left out: what it holds cannot be known, and the volumes of the
   * others can.
   */
  async list(request: ListVolumesRequest__Output): Promise<ListVolumesResponse> {
    const { max_entries: limit, starting_token: token } = request;
    if (limit < 0) throw refuse.invalid(`max_entries ${limit} is negative`);
    const after = token === '' ? undefined : parseToken(token);
    const nodes = await this.#publishedNodes();
    const entries: Entry[] = [];
    let bytes = 0;
    let last: PagePosition | undefined;
    for (const { uuid, node } of this.#volumesAfter(after)) {
      const entry = this.#describe(uuid, node, nodes);
      bytes += bytesOf(entry);
      const isFull = entries.length === limit || bytes > PAGE_MAX_BYTES;
      if (isFull && last !== undefined) return { entries, next_token: formatToken(last) };
      entries.push(entry);
      last = { pool: uuid, node: node.node };
    }
    return { entries, next_token: '' };
  }

  /** Free memory as a class would find it; memory in quarantine is not free, and without slots nothing is. */
  capacity(request: GetCapacityRequest__Output): GetCapacityResponse {
    const { pool: wanted } = parseParameters(request.parameters);
    const impossible = request.volume_capabilities.some((capability) => problemWith(capability) !== undefined);
    const pools = wanted === undefined ? this.#pools.all.filter((pool) => pool.isWritable) : [this.#pools.select(wanted)];
    const place = request.accessible_topology;
    let available = 0;
    let largest = 0;
    for (const pool of impossible ? [] : pools) {
      const { uuid } = pool.writer.pool;
      if (place && !reachesPool(place, this.#driver, uuid)) continue;
      const usage = pool.writer.pool.usage();
      if (usage.slotsFree < SLOTS_PER_VOLUME) continue;
      available += usage.freeBytes;
      largest = Math.max(largest, usage.largestAllocatableBytes);
    }
    return { available_capacity: available, maximum_volume_size: { value: largest } };
  }

  *#volumesAfter(after: PagePosition | undefined): Generator<Found> {
    const readable = this.#pools.all.filter((pool) => pool.isReadable);
    const start = after === undefined ? 0 : readable.findIndex((pool) => pool.uuid === after.pool);
    if (start < 0) throw refuse.aborted(`starting_token ${JSON.stringify(formatToken(after!))} names a pool that is not there: start the listing again`);
    for (const pool of readable.slice(start)) {
      const behind = pool.uuid === after?.pool ? after!.node : 0;
      yield* volumesOf(pool, behind);
    }
  }

  /** By volume, the nodes that it is published on. */
  async #publishedNodes(): Promise<ReadonlyMap<string, readonly string[]>> {
    const published = (await this.#attachments.list()).flatMap(({ attachments }) => attachments);
    return new Map([...Map.groupBy(published, ({ volume }) => volume)].map(([volume, all]) => [volume, all.map(({ node }) => node)]));
  }

  #describe(uuid: string, { path, record }: PoolNode, nodes: ReadonlyMap<string, readonly string[]>): Entry {
    const volumeId = formatVolumeId({ pool: uuid, directory: path });
    return {
      volume: {
        volume_id: volumeId,
        capacity_bytes: record?.capacity ?? 0, // which says that it is not known
        accessible_topology: [poolTopology(this.#driver, [uuid])],
      },
      status: { published_node_ids: [...nodes.get(volumeId) ?? []] },
    };
  }
}

type Entry = NonNullable<ListVolumesResponse['entries']>[number];

interface Found {
  readonly uuid: string;
  readonly node: PoolNode;
}

/** The volumes of a pool behind a node id, ascending. */
function* volumesOf({ view }: ManagedPool, behind: number): Generator<Found> {
  const { uuid } = view;
  const nodes = [...view.nodesIn('')].filter((node) => node > behind).sort((a, b) => a - b);
  for (const id of nodes) {
    const node = view.describe(id);
    if (isVolume(node)) yield { uuid, node };
  }
}

/** Bytes of an entry in an answer. */
function bytesOf(entry: Entry): number {
  return csi.Controller.service.ListVolumes.responseSerialize({ entries: [entry] }).length;
}

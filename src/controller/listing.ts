import { problemWith } from '../csi/capabilities.ts';
import { refuse } from '../csi/errors.ts';
import { csi } from '../csi/server/protocols.ts';
import { poolTopology, reachesPool } from '../csi/topology.ts';
import { formatVolumeId, parseVolumeId, type VolumeId } from '../csi/volume-id.ts';
import type { PoolNode } from '../famfs/pool/pool.ts';
import type { GetCapacityRequest__Output } from '../generated/csi/v1/GetCapacityRequest.ts';
import type { GetCapacityResponse } from '../generated/csi/v1/GetCapacityResponse.ts';
import type { ListVolumesRequest__Output } from '../generated/csi/v1/ListVolumesRequest.ts';
import type { ListVolumesResponse } from '../generated/csi/v1/ListVolumesResponse.ts';
import type { Attachments } from '../state/interfaces.ts';
import { parseParameters } from './layout/parameters.ts';
import { isVolume, SLOTS_PER_VOLUME } from './layout/volume-layout.ts';
import { formatToken, type PagePosition, parseToken, type VolumePosition } from './page-token.ts';
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
   * One page of the volumes in order of creation, pool by pool, and behind them whatever else is attached, by handle:
   * directories that the driver did not make, suffixed handles, volumes of pools that cannot be read. (Who attaches
   * volumes compares this list with what it has attached, and attaches again what it does not find.) A page has as many
   * as were asked for, and as fit into a message that clients take. Of a pool that cannot be read, only what is attached
   * is known.
   */
  async list(request: ListVolumesRequest__Output): Promise<ListVolumesResponse> {
    const { max_entries: limit, starting_token: token } = request;
    if (limit < 0) throw refuse.invalid(`max_entries ${limit} is negative`);
    const after = token === '' ? undefined : parseToken(token);
    const nodes = await this.#publishedNodes();
    const entries: Entry[] = [];
    let bytes = 0;
    let last: PagePosition | undefined;
    for (const { entry, position } of this.#entriesAfter(after, nodes)) {
      bytes += bytesOf(entry);
      const isFull = entries.length === limit || bytes > PAGE_MAX_BYTES;
      if (isFull && last !== undefined) return { entries, next_token: formatToken(last) };
      entries.push(entry);
      last = position;
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

  *#entriesAfter(after: PagePosition | undefined, nodes: PublishedNodes): Generator<Listed> {
    const isBehindVolumes = after !== undefined && 'attached' in after;
    for (const { uuid, node } of isBehindVolumes ? [] : this.#volumesAfter(after)) {
      const handle = formatVolumeId({ pool: uuid, directory: node.path });
      yield { entry: this.#entry(handle, uuid, node, nodes), position: { pool: uuid, node: node.node } };
    }
    for (const handle of [...nodes.keys()].sort()) {
      if (isBehindVolumes && handle <= after.attached) continue;
      const id = parseVolumeId(handle);
      const node = id && this.#stat(id);
      if (id === undefined || (id.suffix === undefined && node !== undefined && isVolume(node))) continue;
      yield { entry: this.#entry(handle, id.pool, node, nodes), position: { attached: handle } };
    }
  }

  /** A directory of a pool that can be read. */
  #stat({ pool: uuid, directory }: VolumeId): PoolNode | undefined {
    const pool = this.#pools.all.find((each) => each.isReadable && each.uuid === uuid);
    const found = pool?.view.stat(directory);
    return found?.kind === 'directory' ? found : undefined;
  }

  *#volumesAfter(after: VolumePosition | undefined): Generator<Found> {
    const readable = this.#pools.all.filter((pool) => pool.isReadable);
    const start = after === undefined ? 0 : readable.findIndex((pool) => pool.uuid === after.pool);
    if (start < 0) throw refuse.aborted(`starting_token ${JSON.stringify(formatToken(after!))} names a pool that is not there: start the listing again`);
    for (const pool of readable.slice(start)) {
      const behind = pool.uuid === after?.pool ? after!.node : 0;
      yield* volumesOf(pool, behind);
    }
  }

  async #publishedNodes(): Promise<PublishedNodes> {
    const published = (await this.#attachments.list()).flatMap(({ attachments }) => attachments);
    return new Map([...Map.groupBy(published, ({ volume }) => volume)].map(([volume, all]) => [volume, all.map(({ node }) => node)]));
  }

  #entry(volumeId: string, uuid: string, node: PoolNode | undefined, nodes: PublishedNodes): Entry {
    return {
      volume: {
        volume_id: volumeId,
        capacity_bytes: node?.record?.capacity ?? 0, // which says that it is not known
        accessible_topology: [poolTopology(this.#driver, [uuid])],
      },
      status: { published_node_ids: [...nodes.get(volumeId) ?? []] },
    };
  }
}

type Entry = NonNullable<ListVolumesResponse['entries']>[number];

/** By handle, the nodes that it is published on. */
type PublishedNodes = ReadonlyMap<string, readonly string[]>;

/** An entry, and where a page goes on that ends with it. */
interface Listed {
  readonly entry: Entry;
  readonly position: PagePosition;
}

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

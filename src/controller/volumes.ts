import { status } from '@grpc/grpc-js';
import { formatBytes } from '../csi/bytes.ts';
import { isReaderOnly, parseAccess } from '../csi/capabilities.ts';
import { type CsiError, refuse, toStatus } from '../csi/errors.ts';
import { poolTopology, reachesPool } from '../csi/topology.ts';
import { formatVolumeId, parseVolumeId } from '../csi/volume-id.ts';
import { FamfsError } from '../famfs/errors.ts';
import type { VolumeRecord } from '../famfs/format/volume-record.ts';
import type { PoolNode } from '../famfs/pool/pool.ts';
import type { CreateVolumeRequest__Output } from '../generated/csi/v1/CreateVolumeRequest.ts';
import type { Volume } from '../generated/csi/v1/Volume.ts';
import type { Attachments } from '../state/interfaces.ts';
import { type CapacityRange, parseCapacityRange, satisfies, sizeFor } from './capacity.ts';
import { type ClassParameters, parseParameters, sameParameters } from './layout/parameters.ts';
import { entriesOf, isCutShort, isVolume, recordOf, removeTree, SLOTS_PER_VOLUME } from './layout/volume-layout.ts';
import { checkVolumeName, directoryName } from './layout/volume-name.ts';
import type { ManagedPool } from './pools/managed-pool.ts';
import type { ControllerPools } from './pools/pools.ts';

/** Makes and deletes volumes. Its caller keeps calls for one directory apart. */
export class Volumes {
  readonly #pools: ControllerPools;
  readonly #attachments: Attachments;
  readonly #driver: string;

  constructor(pools: ControllerPools, attachments: Attachments, driver: string) {
    this.#pools = pools;
    this.#attachments = attachments;
    this.#driver = driver;
  }

  /** Makes a volume, or answers with the one that the same request made before. */
  async create(request: CreateVolumeRequest__Output): Promise<Volume> {
    const wanted = this.#plan(request);
    if (!wanted.isThere) await wanted.pool.prepare(wanted.size);
    return this.#make(this.#plan(request)); // others may have made something meanwhile
  }

  #make(plan: CreationPlan): Volume {
    const { pool, directory, size, record, parameters } = plan;
    if (plan.isThere) return this.#volume(pool, directory, size);
    return pool.write((writer) => {
      if (plan.isCutShort) writer.remove(directory);
      try {
        writer.create(entriesOf(directory, size, record, parameters));
      } catch (error) {
        if (!(error instanceof FamfsError) || (error.code !== 'NO_SPACE' && error.code !== 'LOG_FULL')) throw error;
        pool.deleted(); // what has to be scrubbed first may have been found just now
        throw noRoom(pool, size);
      }
      return this.#volume(pool, directory, size);
    });
  }

  /** Why a creation would be refused now, or undefined; changes nothing. */
  explain(request: CreateVolumeRequest__Output): string | undefined {
    try {
      const { pool, isThere, size } = this.#plan(request);
      const { largestAllocatableBytes, slotsFree } = pool.writer.pool.usage();
      return isThere || (size <= largestAllocatableBytes && slotsFree >= SLOTS_PER_VOLUME) ? undefined : noRoom(pool, size).message;
    } catch (error) {
      const { code, details } = toStatus(error);
      return code === status.ABORTED ? undefined : details;
    }
  }

  /** All that can be said of a creation before it is done. Throws what it would be refused with. */
  #plan(request: CreateVolumeRequest__Output): CreationPlan {
    const { name, directory, range, parameters } = parseCreate(request);
    const pool = this.#pools.select(parameters.pool);
    const found = pool.writer.pool.stat(directory);
    const cutShort = found !== undefined && isCutShort(pool.writer.pool, found);
    if (found !== undefined && !cutShort) {
      const size = existingCapacity(found, name, range, parameters);
      return { pool, directory, size, record: found.record!, parameters, isThere: true, isCutShort: false };
    }
    this.#refuseTwin(pool, name, directory);
    this.#checkTopology(pool, request);
    const { allocationUnit, view } = pool.writer.pool;
    const size = sizeFor(range, allocationUnit, view.usage().totalBytes);
    return { pool, directory, size, record: recordOf(name, size, parameters), parameters, isThere: false, isCutShort: cutShort };
  }

  /** Deletes a volume; one that is not there is deleted already. */
  async delete(volumeId: string): Promise<void> {
    const id = parseVolumeId(volumeId);
    const pool = id && this.#pools.byUuid(id.pool);
    if (id === undefined || pool === undefined || id.suffix !== undefined) return; // another name of a directory is nothing to delete
    const found = pool.writer.pool.stat(id.directory);
    if (found === undefined) return;
    if (!isVolume(found)) {
      throw refuse.precondition(`${volumeId} was not made by this driver: delete it with famfs-csi rm if it is to go`);
    }
    const attached = (await this.#attachments.get(volumeId))?.value.attachments ?? [];
    if (attached.length > 0) {
      throw refuse.precondition(`${volumeId} is published on ${attached.map(({ volume, node }) => (volume === volumeId ? node : `${node} as ${volume}`)).join(', ')}: unpublish it first`);
    }
    pool.write((writer) => writer.mustBeUnaliased(id.directory)); // or a part of the volume would be gone when it is refused
    await removeTree((work) => pool.write(work), id.directory);
    pool.deleted();
  }

  #volume(pool: ManagedPool, directory: string, capacity: number): Volume {
    const uuid = pool.writer.pool.uuid;
    return {
      volume_id: formatVolumeId({ pool: uuid, directory }),
      capacity_bytes: capacity,
      accessible_topology: [poolTopology(this.#driver, [uuid])],
    };
  }

  /** A name belongs to one volume, whatever pool its class would choose now. */
  #refuseTwin(chosen: ManagedPool, name: string, directory: string): void {
    for (const pool of this.#pools.all) {
      if (pool === chosen || !pool.isReadable) continue;
      if (pool.view.stat(directory)?.record?.name === name) {
        throw refuse.exists(`volume ${JSON.stringify(name)} exists in pool ${pool.spec.name}, not in ${chosen.spec.name}`);
      }
    }
  }

  #checkTopology(pool: ManagedPool, request: CreateVolumeRequest__Output): void {
    const requisite = request.accessibility_requirements?.requisite ?? [];
    const uuid = pool.writer.pool.uuid;
    if (requisite.length > 0 && !requisite.some((place) => reachesPool(place, this.#driver, uuid))) {
      throw refuse.exhausted(`none of the required topologies reaches pool ${pool.spec.name} (${uuid})`);
    }
  }
}

interface CreateVolume {
  readonly name: string;
  readonly directory: string;
  readonly range: CapacityRange;
  readonly parameters: ClassParameters;
}

/** What a creation comes to. */
interface CreationPlan {
  readonly pool: ManagedPool;
  readonly directory: string;
  readonly size: number;
  readonly record: VolumeRecord;
  readonly parameters: ClassParameters;
  /** The same request has made it before. */
  readonly isThere: boolean;
  /** There is what a deletion that was cut short has left. */
  readonly isCutShort: boolean;
}

/** Says what is needed, what there is, and what is on its way back. */
function noRoom(pool: ManagedPool, size: number): CsiError {
  const { largestAllocatableBytes, quarantinedBytes, slotsFree, slotsTotal } = pool.writer.pool.usage();
  const { name } = pool.spec;
  if (slotsFree < SLOTS_PER_VOLUME) {
    return refuse.exhausted(`no slot for another volume is left in pool ${name}: ${slotsTotal - slotsFree} of ${slotsTotal} are used; ` +
      'use another pool, or format this one anew with a larger log');
  }
  const deleted = quarantinedBytes === 0 ? '' : `; ${formatBytes(quarantinedBytes)} deleted, not yet returned${whyNot(pool)}`;
  return refuse.exhausted(`needs ${formatBytes(size)}, largest free is ${formatBytes(largestAllocatableBytes)} in pool ${name}${deleted}`);
}

/** What deleted memory waits for, if for anything but time. */
function whyNot({ spec, reclaim }: ManagedPool): string {
  if (spec.referenceClients) return ': hosts mount this pool with the reference tools, so it never is';
  return reclaim === undefined || reclaim.waitsFor.length === 0 ? '' : `: ${reclaim.waitsFor.join(', ')} may have it mapped`;
}

/** Reads a request as a whole before anything is looked up. Throws INVALID_ARGUMENT. */
function parseCreate(request: CreateVolumeRequest__Output): CreateVolume {
  checkVolumeName(request.name);
  if (request.volume_capabilities.length === 0) throw refuse.invalid('volume_capabilities is required');
  const modes = request.volume_capabilities.map((capability) => parseAccess(capability).mode);
  if (modes.every(isReaderOnly)) {
    throw refuse.invalid(`${modes.join(', ')}: a new volume is empty, and nobody could ever fill this one; ask for a mode that writes and mount it read-only`);
  }
  if (request.volume_content_source) throw refuse.invalid('volume_content_source is not offered: a new volume is empty');
  const mutable = Object.keys(request.mutable_parameters)[0];
  if (mutable !== undefined) throw refuse.invalid(`mutable_parameters are not offered: ${JSON.stringify(mutable)}`);
  return {
    name: request.name,
    directory: directoryName(request.name),
    range: parseCapacityRange(request.capacity_range),
    parameters: parseParameters(request.parameters),
  };
}

/** The capacity of a volume that the same request may have made. Throws ALREADY_EXISTS where it did not. */
function existingCapacity(found: PoolNode, name: string, range: CapacityRange, parameters: ClassParameters): number {
  const record = found.record;
  if (record === undefined || !isVolume(found)) throw refuse.exists(`${found.path} exists in the pool, and this driver did not make it`);
  if (record.name !== name) {
    throw refuse.exists(`directory ${found.path} belongs to volume ${JSON.stringify(record.name)}: choose another name than ${JSON.stringify(name)}`);
  }
  if (!sameParameters(record.parameters, parameters.given)) {
    throw refuse.exists(`volume ${JSON.stringify(name)} exists with parameters ${JSON.stringify(record.parameters)}, not ${JSON.stringify(parameters.given)}`);
  }
  const { capacity } = record;
  if (capacity === undefined) {
    throw refuse.exists(`volume ${JSON.stringify(name)} exists, and its record does not tell its capacity: somebody else has written it; delete the volume`);
  }
  if (!satisfies(capacity, range)) {
    throw refuse.exists(`volume ${JSON.stringify(name)} exists with ${capacity} bytes, asked for are ${range.required} to ${range.limit || 'any number'}`);
  }
  return capacity;
}

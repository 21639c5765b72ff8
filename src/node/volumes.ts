import { existsSync } from 'node:fs';
import path from 'node:path';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import { type Access, type AccessMode, isExclusive, isReaderOnly, isSingleTarget, parseAccess } from '../csi/capabilities.ts';
import { type CsiError, refuse } from '../csi/errors.ts';
import { parseVolumeId, type VolumeId } from '../csi/volume-id.ts';
import { TouchingPrograms } from '../famfs/fuse/mount/programs.ts';
import type { NodePublishVolumeRequest__Output } from '../generated/csi/v1/NodePublishVolumeRequest.ts';
import type { NodeStageVolumeRequest__Output } from '../generated/csi/v1/NodeStageVolumeRequest.ts';
import type { Stage, Stages } from '../state/stages.ts';
import type { DataPlane } from './data-plane.ts';
import { mountAt, showsVolume, detachVolume } from './mounts.ts';
import { ensureDirectory, ensureVolumeMount, locateVolume, unmountAndRemove } from './volume-mounts.ts';

/**
 * Stages and publishes volumes on this host. Its caller keeps calls for one directory or target apart.
 *
 * A directory may have several handles here, each with a stage of its own; and the kubelet knows a volume by its
 * handle, so PersistentVolumes that share one share its stage, whose publishes then come in several modes.
 *
 * Nothing is mounted at a staging path. Before the kubelet has a volume unstaged, it waits until no other mount of the
 * host shows what is mounted there; so of two handles of one directory, each would keep the other one from being
 * detached (GetDeviceMountRefs in its volume manager). Versions before mounted the volume there, and bound targets to it.
 */
export class NodeVolumes {
  readonly #plane: DataPlane;
  readonly #stages: Stages;
  readonly #log: Logger;
  readonly #programs = new TouchingPrograms();

  constructor(plane: DataPlane, stages: Stages, log: Logger) {
    this.#plane = plane;
    this.#stages = stages;
    this.#log = log;
  }

  /** Sees that the volume is there and its pool mounted, and writes down how it may be published. */
  async stage(request: NodeStageVolumeRequest__Output): Promise<void> {
    const place = requirePath('staging_target_path', request.staging_target_path);
    const access = parseAccess(request.volume_capability);
    const id = requireVolumeId(request.volume_id);
    const stages = await this.#stages.ofDirectory(request.volume_id);
    const before = stages.find(({ volume }) => volume === request.volume_id);
    if (before !== undefined) await this.#checkRestaging(before, place, access);
    requireUnused(place, others(stages, request.volume_id), refuse.exists);
    const { group, ...ungrouped } = access; // a group is recorded when it is in force
    const stage = before?.path === place ? before : { volume: request.volume_id, path: place, access: ungrouped, targets: [] };
    await locateVolume(this.#plane, id);
    await ensureDirectory(place);
    const readonly = isReadOnlyUse(access, request.publish_context);
    await this.#stages.put(await this.#withGroup(id, stage, stages, { group, readonly }));
  }

  /** Undoes `stage`. The directory stays, it is the caller's. */
  async unstage(volumeId: string, stagingPath: string): Promise<void> {
    const place = requirePath('staging_target_path', stagingPath);
    const stages = await this.#stages.ofDirectory(volumeId);
    const stage = stages.find(({ volume }) => volume === volumeId);
    if (stage?.targets.includes(place)) throw refuse.precondition(`${place} is where ${volumeId} is published, not where it is staged: unpublish it there`);
    const rest = others(stages, volumeId);
    requireUnused(place, rest, refuse.precondition);
    await detachVolume(place, volumeId, { endsSession: true });
    if (stage?.path !== place) return;
    const id = parseVolumeId(volumeId);
    if (id !== undefined && stage.access.group !== undefined && groupOf(rest) === undefined) await this.#liftGroup(id);
    await this.#stages.delete(volumeId);
  }

  /** Bind-mounts the staged volume at a pod's target path, from the session of its pool. */
  async publish(request: NodePublishVolumeRequest__Output): Promise<void> {
    const target = requirePath('target_path', request.target_path);
    const access = parseAccess(request.volume_capability);
    if (request.staging_target_path === '') throw refuse.precondition('staging_target_path is required: volumes are staged here');
    const id = requireVolumeId(request.volume_id);
    const stages = await this.#stages.ofDirectory(request.volume_id);
    const stage = requireStage(stages, request.volume_id, path.resolve(request.staging_target_path), access);
    requireUnused(target, others(stages, request.volume_id), refuse.exists);
    const readonly = request.readonly || isReadOnlyUse(access, request.publish_context);
    const elsewhere = await publishedElsewhere(id, stages, target);
    const rival = elsewhere.find((other) => excludes(other, { volume: request.volume_id, mode: access.mode }));
    if (rival !== undefined) {
      const single = isSingleTarget(access.mode) ? access.mode : rival.mode;
      throw refuse.precondition(`${rival.volume} is published at ${rival.place} as ${rival.mode}, and ${single} allows one target`);
    }
    const volume = await locateVolume(this.#plane, id);
    const grouped = await this.#withGroup(id, stage, stages, { group: access.group, readonly });
    const mine = elsewhere.filter((other) => other.volume === stage.volume);
    await this.#stages.put({
      ...grouped, targets: [...mine.map(({ place }) => place), target],
      modes: { ...Object.fromEntries(mine.map(({ place, mode }) => [place, mode])), [target]: access.mode },
    });
    await ensureVolumeMount(this.#programs, volume, target, { readonly, flags: access.mountFlags });
  }

  /** Undoes `publish`; a target that is missing, unmounted or dead is no obstacle. */
  async unpublish(volumeId: string, targetPath: string): Promise<void> {
    const target = requirePath('target_path', targetPath);
    const staged = (await this.#stages.list()).find((stage) => stage.path === target);
    if (staged !== undefined) throw refuse.precondition(`${target} is where ${staged.volume} is staged, not published: unstage it there`);
    const stages = await this.#stages.ofDirectory(volumeId);
    requireUnused(target, others(stages, volumeId), refuse.precondition);
    await unmountAndRemove(target, volumeId);
    const stage = stages.find(({ volume }) => volume === volumeId);
    if (!stage?.targets.includes(target)) return;
    const modes = Object.fromEntries(Object.entries(stage.modes ?? {}).filter(([place]) => place !== target));
    await this.#stages.put({ ...stage, targets: stage.targets.filter((place) => place !== target), modes });
  }

  /** Size of a volume that is staged or published at this path. */
  async statistics(volumeId: string, volumePath: string): Promise<{ bytes: number; files: number }> {
    if (volumePath === '') throw refuse.invalid('volume_path is required');
    const place = path.resolve(volumePath);
    const id = requireVolumeId(volumeId);
    const stage = await this.#stages.get(volumeId);
    if (stage?.path !== place) {
      const mount = stage?.targets.includes(place) ? await mountAt(place) : undefined;
      if (mount === undefined || !showsVolume(mount, id)) throw refuse.notFound(`${volumeId} is neither staged nor mounted at ${volumePath}`);
    }
    return this.#plane.statistics(id);
  }

  async #checkRestaging(before: Stage, place: string, access: Access): Promise<void> {
    if (before.path !== place) {
      if (!existsSync(before.path)) return; // its caller has taken it back, and we were not told
      throw refuse.exists(`${before.volume} is staged at ${before.path}, not at ${place}: unstage it there first`);
    }
    if (!canShareStage(before.access, access)) {
      throw refuse.exists(`${before.volume} is staged as ${before.access.mode}, not as ${access.mode}: unstage it first`);
    }
  }

  /**
   * The stage with the wanted group in force. One directory has one group per host, which all its pods see; who only
   * reads what everybody may read needs none.
   */
  async #withGroup(
    id: VolumeId, stage: Stage, stages: readonly Stage[], { group, readonly }: { group: number | undefined; readonly: boolean },
  ): Promise<Stage> {
    if (group === undefined) return stage;
    const current = groupOf([stage, ...stages]);
    const isOther = current !== undefined && current !== group;
    const conflict = () => refuse.precondition(`${stage.volume} is presented with group ${current} on this host, so not with ${group}`);
    if (isOther && !readonly) throw conflict();
    const isSet = await this.#plane.setMountGroup(id, group, readonly).catch((error: unknown) => {
      throw isOther && (error as ServiceError).code === status.FAILED_PRECONDITION ? conflict() : error;
    });
    return isSet ? { ...stage, access: { ...stage.access, group } } : stage;
  }

  /** An override that stays is no harm to an unmounted volume, and the data plane may be away just now. */
  async #liftGroup(id: VolumeId): Promise<void> {
    await this.#plane.setMountGroup(id).catch((error: Error) => {
      this.#log.warn('mount group not lifted', { reason: error.message });
    });
  }
}

/** Whether both can use one stage: mount flags and groups are their targets' matter. ReadWriteOncePod stands alone. */
function canShareStage(a: Access, b: Access): boolean {
  return a.mode === b.mode || (!isExclusive(a.mode) && !isExclusive(b.mode));
}

function requireStage(stages: readonly Stage[], volume: string, place: string, access: Access): Stage {
  const stage = stages.find((each) => each.volume === volume);
  if (stage?.path !== place) throw refuse.precondition(`${volume} is not staged at ${place}`);
  if (!canShareStage(stage.access, access)) {
    throw refuse.precondition(`${volume} is staged as ${stage.access.mode}, not as ${access.mode}`);
  }
  return stage;
}

/** The stages of other handles. */
function others(stages: readonly Stage[], volume: string): Stage[] {
  return stages.filter((stage) => stage.volume !== volume);
}

/** Throws where another handle has its stage or a target at a path: a mount there is that one's, though it shows the same directory. */
function requireUnused(place: string, stages: readonly Stage[], refusal: (message: string) => CsiError): void {
  const user = stages.find((stage) => stage.path === place || stage.targets.includes(place));
  if (user === undefined) return;
  throw refusal(`${place} is where ${user.volume} is ${user.path === place ? 'staged' : 'published'}: ${user.path === place ? 'unstage' : 'unpublish'} that one, or use another path`);
}

/** The group that one of these stages has put in force. */
function groupOf(stages: readonly Stage[]): number | undefined {
  return stages.find(({ access }) => access.group !== undefined)?.access.group;
}

/** Whether nobody who is published like this can write, whatever a pod asks for. */
function isReadOnlyUse(access: Access, context: Readonly<Record<string, string>>): boolean {
  return context['readonly'] === 'true' || isReaderOnly(access.mode) || access.mountFlags.includes('ro');
}

/** A target of a directory. */
interface Target {
  /** The handle by which it is published there. */
  readonly volume: string;
  readonly place: string;
  readonly mode: AccessMode;
}

/** The other targets at which a directory can really be seen, by whatever handles. */
async function publishedElsewhere(id: VolumeId, stages: readonly Stage[], target: string): Promise<Target[]> {
  const targets = stages.flatMap(({ volume, access, targets: places, modes }) => places.filter((place) => place !== target)
    .map((place) => ({ volume, place, mode: modes?.[place] ?? access.mode })));
  const mounts = await Promise.all(targets.map(({ place }) => mountAt(place)));
  return targets.filter((_target, index) => mounts[index] !== undefined && showsVolume(mounts[index], id));
}

/** Whether a target keeps another one away: ReadWriteOncePod from its directory, the other modes for one target from their handle. */
function excludes(there: Target, wanted: Omit<Target, 'place'>): boolean {
  if (isExclusive(there.mode) || isExclusive(wanted.mode)) return true;
  return there.volume === wanted.volume && isSingleTarget(wanted.mode);
}

function requirePath(field: string, value: string): string {
  if (value === '') throw refuse.invalid(`${field} is required`);
  if (!path.isAbsolute(value) || value.includes('\0')) throw refuse.invalid(`${field} ${JSON.stringify(value)} is not an absolute path`);
  const place = path.resolve(value);
  if (place === '/') throw refuse.invalid(`${field} must not be the root directory`);
  return place;
}

function requireVolumeId(handle: string): VolumeId {
  if (handle === '') throw refuse.invalid('volume_id is required');
  const id = parseVolumeId(handle);
  if (id === undefined) throw refuse.notFound(`${JSON.stringify(handle)} is no volume of this driver`);
  return id;
}

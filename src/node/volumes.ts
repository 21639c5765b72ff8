import path from 'node:path';
import type { Logger } from 'winston';
import { type Access, isReaderOnly, isSingleTarget, parseAccess } from '../csi/capabilities.ts';
import { refuse } from '../csi/errors.ts';
import { parseVolumeId, type VolumeId } from '../csi/volume-id.ts';
import { TouchingPrograms } from '../famfs/fuse/mount/programs.ts';
import type { NodePublishVolumeRequest__Output } from '../generated/csi/v1/NodePublishVolumeRequest.ts';
import type { NodeStageVolumeRequest__Output } from '../generated/csi/v1/NodeStageVolumeRequest.ts';
import type { Stage, Stages } from '../state/stages.ts';
import type { BindMountSpec } from './bind-mount-options.ts';
import type { DataPlane } from './data-plane.ts';
import { mountAt, showsVolume, detachVolume } from './mounts.ts';
import { ensureStagingMount, ensureTargetMount, locateVolume, unmountAndRemove } from './volume-mounts.ts';

/** Stages and publishes volumes on this host. Its caller keeps calls for one volume or target apart. */
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

  /** Mounts the volume at its staging path, from which it is published. */
  async stage(request: NodeStageVolumeRequest__Output): Promise<void> {
    const place = requirePath('staging_target_path', request.staging_target_path);
    const access = parseAccess(request.volume_capability);
    const id = requireVolumeId(request.volume_id);
    const before = await this.#stages.get(request.volume_id);
    if (before !== undefined) await this.#checkRestaging(before, place, access);
    const stage = before?.path === place ? before : { volume: request.volume_id, path: place, access, targets: [] };
    const volume = await locateVolume(this.#plane, id);
    await this.#stages.put(await this.#withGroup(id, stage, access.group));
    await ensureStagingMount(this.#programs, volume, place, stagingMountSpec(access));
  }

  /** Undoes `stage`. The directory stays, it is the caller's. */
  async unstage(volumeId: string, stagingPath: string): Promise<void> {
    const place = requirePath('staging_target_path', stagingPath);
    const stage = await this.#stages.get(volumeId);
    if (stage?.targets.includes(place)) throw refuse.precondition(`${place} is where ${volumeId} is published, not where it is staged: unpublish it there`);
    await detachVolume(place, volumeId, { endsSession: true });
    if (stage?.path !== place) return;
    const id = parseVolumeId(volumeId);
    if (id !== undefined && stage.access.group !== undefined) await this.#liftGroup(id);
    await this.#stages.delete(volumeId);
  }

  /** Bind-mounts the staged volume at a pod's target path. */
  async publish(request: NodePublishVolumeRequest__Output): Promise<void> {
    const target = requirePath('target_path', request.target_path);
    const access = parseAccess(request.volume_capability);
    if (request.staging_target_path === '') throw refuse.precondition('staging_target_path is required: volumes are staged here');
    const id = requireVolumeId(request.volume_id);
    const stage = await this.#requireStage(request.volume_id, path.resolve(request.staging_target_path), access);
    const readonly = request.readonly || request.publish_context['readonly'] === 'true' ||
      isReaderOnly(access.mode) || access.mountFlags.includes('ro');
    const others = await publishedElsewhere(id, stage, target);
    if (others.length > 0 && isSingleTarget(access.mode)) {
      throw refuse.precondition(`${request.volume_id} is published at ${others[0]}, and ${access.mode} allows one target`);
    }
    const volume = await locateVolume(this.#plane, id);
    const grouped = await this.#withGroup(id, stage, access.group);
    await this.#stages.put({ ...grouped, targets: [...others, target] });
    // A staging mount can have died with a session that was replaced since.
    await ensureStagingMount(this.#programs, volume, stage.path, stagingMountSpec(stage.access));
    await ensureTargetMount(volume, stage.path, target, { readonly, flags: access.mountFlags });
  }

  /** Undoes `publish`; a target that is missing, unmounted or dead is no obstacle. */
  async unpublish(volumeId: string, targetPath: string): Promise<void> {
    const target = requirePath('target_path', targetPath);
    const staged = (await this.#stages.list()).find((stage) => stage.path === target);
    if (staged !== undefined) throw refuse.precondition(`${target} is where ${staged.volume} is staged, not published: unstage it there`);
    await unmountAndRemove(target, volumeId);
    const stage = await this.#stages.get(volumeId);
    if (!stage?.targets.includes(target)) return;
    await this.#stages.put({ ...stage, targets: stage.targets.filter((place) => place !== target) });
  }

  /** Size of a volume that is staged or published at this path. */
  async statistics(volumeId: string, volumePath: string): Promise<{ bytes: number; files: number }> {
    if (volumePath === '') throw refuse.invalid('volume_path is required');
    const place = path.resolve(volumePath);
    const id = requireVolumeId(volumeId);
    const stage = await this.#stages.get(volumeId);
    const ours = stage !== undefined && [stage.path, ...stage.targets].includes(place);
    const mount = ours ? await mountAt(place) : undefined;
    if (mount === undefined || !showsVolume(mount, id)) throw refuse.notFound(`${volumeId} is not mounted at ${volumePath}`);
    return this.#plane.statistics(id);
  }

  async #checkRestaging(before: Stage, place: string, access: Access): Promise<void> {
    if (before.path !== place) {
      if (await mountAt(before.path) === undefined) return;
      throw refuse.exists(`${before.volume} is staged at ${before.path}, not at ${place}`);
    }
    if (!sameStaging(before.access, access)) {
      throw refuse.exists(`${before.volume} is staged as ${before.access.mode} with [${before.access.mountFlags.join(', ')}]: unstage it first`);
    }
  }

  async #requireStage(volume: string, place: string, access: Access): Promise<Stage> {
    const stage = await this.#stages.get(volume);
    if (stage?.path !== place) throw refuse.precondition(`${volume} is not staged at ${place}`);
    if (stage.access.mode !== access.mode) {
      throw refuse.precondition(`${volume} is staged as ${stage.access.mode}, not as ${access.mode}`);
    }
    return stage;
  }

  /** The stage with the wanted group in force. One volume has one group per host, which all its pods see. */
  async #withGroup(id: VolumeId, stage: Stage, group: number | undefined): Promise<Stage> {
    if (group === undefined) return stage;
    const current = stage.access.group;
    if (current !== undefined && current !== group) {
      throw refuse.precondition(`${stage.volume} is presented with group ${current} on this host, so not with ${group}`);
    }
    await this.#plane.setMountGroup(id, group);
    return { ...stage, access: { ...stage.access, group } };
  }

  /** An override that stays is no harm to an unmounted volume, and the data plane may be away just now. */
  async #liftGroup(id: VolumeId): Promise<void> {
    await this.#plane.setMountGroup(id).catch((error: Error) => {
      this.#log.warn('mount group not lifted', { reason: error.message });
    });
  }
}

/** Whether two requests stage a volume in the same way; its group is another matter. */
function sameStaging(a: Access, b: Access): boolean {
  return a.mode === b.mode && [...a.mountFlags].sort().join() === [...b.mountFlags].sort().join();
}

/** The staging mount carries what holds for every target; whether a pod may write is its target's matter. */
function stagingMountSpec(access: Access): BindMountSpec {
  return { readonly: isReaderOnly(access.mode), flags: [] };
}

/** The other targets at which the volume can really be seen. */
async function publishedElsewhere(id: VolumeId, stage: Stage, target: string): Promise<string[]> {
  const others = stage.targets.filter((place) => place !== target);
  const mounts = await Promise.all(others.map((place) => mountAt(place)));
  return others.filter((_place, index) => mounts[index] !== undefined && showsVolume(mounts[index], id));
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

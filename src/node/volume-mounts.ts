import fs from 'node:fs/promises';
import path from 'node:path';
import { refuse } from '../csi/errors.ts';
import type { VolumeId } from '../csi/volume-id.ts';
import type { DataPlane } from './data-plane.ts';
import { fulfils, mountOptions, type MountWish } from './mount-options.ts';
import type { Mount } from './mountinfo.ts';
import { bindMount, healthOf, mountAt, unmountAll } from './mounts.ts';

/** Brings volumes to paths: each step can be repeated, and repairs what a dead mount left. */
export class VolumeMounts {
  readonly #plane: DataPlane;

  constructor(plane: DataPlane) {
    this.#plane = plane;
  }

  /** Mounts a volume's directory at a path. Throws NOT_FOUND where the pool has no such directory. */
  async mount(id: VolumeId, target: string, wish: MountWish): Promise<void> {
    const session = await this.#plane.ensureSession(id.pool);
    const source = path.join(session, id.directory);
    await requireDirectory(source, id);
    const base = await mountAt(session);
    if (base === undefined) throw refuse.unavailable(`the session of pool ${id.pool} is not mounted at ${session}: see the data plane's log`);
    await show(source, { device: base.device, root: path.join(base.root, id.directory) }, target, wish);
  }
}

/** Takes a volume off a path and removes the directory there, which must be empty then. Nothing there is success. */
export async function unmountAndRemove(target: string): Promise<void> {
  await unmountAll(target);
  try {
    await fs.rmdir(target);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return;
    if (code === 'ENOTEMPTY' || code === 'ENOTDIR') {
      throw refuse.precondition(`${target} is no mount and holds something else: nothing was deleted, remove it yourself`);
    }
    throw error;
  }
}

/** Makes `target` a mount of `source`, unless it is one; replaces a dead one. */
async function show(source: string, what: Pick<Mount, 'device' | 'root'>, target: string, wish: MountWish): Promise<void> {
  const there = await mountAt(target);
  if (there !== undefined) {
    if (await healthOf(target) === 'alive') {
      if (there.device !== what.device || there.root !== what.root) {
        throw refuse.exists(`${target} is a mount of something else (${there.fsType} ${there.root}): unmount it first`);
      }
      if (!fulfils(there.options, wish)) {
        throw refuse.exists(`${target} is mounted with ${[...there.options].join(',')}: unpublish it before asking for ${mountOptions(wish).join(',')}`);
      }
      return;
    }
    await unmountAll(target);
  }
  await makeDirectory(target);
  await bindMount(source, target, mountOptions(wish));
}

async function makeDirectory(target: string): Promise<void> {
  await fs.mkdir(target, { recursive: true, mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  // A link would lead the mount to a place that nobody asked for.
  if (!(await fs.lstat(target)).isDirectory()) throw refuse.precondition(`${target} exists and is no directory`);
}

async function requireDirectory(source: string, { pool, directory }: VolumeId): Promise<void> {
  const found = await fs.lstat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ESTALE') return undefined;
    throw error;
  });
  if (!found?.isDirectory()) throw refuse.notFound(`pool ${pool} has no directory ${JSON.stringify(directory)}`);
}

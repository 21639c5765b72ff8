import { setImmediate } from 'node:timers/promises';
import { directoryOfHandle, formatVolumeId } from '../../csi/volume-id.ts';
import { FamfsError } from '../../famfs/errors.ts';
import { Liveness } from '../../famfs/index/index-view.ts';
import type { Pool } from '../../famfs/pool/pool.ts';
import { isVolume } from './volume-layout.ts';

/** A volume that this driver made and that no PersistentVolume names. */
export interface Orphan {
  readonly handle: string;
  /** As CreateVolume was asked for it. */
  readonly name: string;
  /** Of its files. */
  readonly bytes: number;
  /** Milliseconds since it was made; missing where its record does not tell. */
  readonly ageMs?: number;
}

/** A volume is made some seconds before its PersistentVolume; longer, where the API server is slow. */
const YOUNG_MS = 600_000;
/** Volumes that are looked at in one go: others are answered in between. */
const AT_ONCE = 1000;

/**
 * The volumes of a pool that none of the handles names. The handles have to be read before: a volume that is made
 * meanwhile is young. `now` is in milliseconds since 1970, as records have it. Throws FamfsError DEVICE where the pool is
 * closed meanwhile.
 */
export async function findOrphans(pool: Pool, handles: Iterable<string>, now = Date.now()): Promise<Orphan[]> {
  const named = new Set([...handles].map(directoryOfHandle));
  const orphans: Orphan[] = [];
  for (const [index, id] of [...pool.nodesIn('')].entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
    if (pool.memory.closed) throw new FamfsError('DEVICE', `${pool.memory.path} was closed meanwhile`);
    if (pool.view.liveness(id) !== Liveness.Live) continue; // deleted since
    const node = pool.describe(id);
    const handle = formatVolumeId({ pool: pool.uuid, directory: node.path });
    if (!isVolume(node) || named.has(handle)) continue;
    const { name, createdAt } = node.record!;
    const ageMs = createdAt === 0 || createdAt > now + YOUNG_MS ? undefined : now - createdAt; // nobody made it in the future
    if (ageMs !== undefined && ageMs < YOUNG_MS) continue;
    const bytes = pool.list(node.path).reduce((sum, { size }) => sum + size, 0);
    orphans.push({ handle, name, bytes, ...(ageMs === undefined ? {} : { ageMs }) });
  }
  return orphans;
}

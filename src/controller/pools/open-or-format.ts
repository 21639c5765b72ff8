import type { PoolConfig } from '../../csi/pool-config.ts';
import { FamfsError } from '../../famfs/errors.ts';
import { sourceOf } from '../../famfs/pool/pool-source.ts';
import { Pool } from '../../famfs/pool/pool.ts';
import { formatEmpty } from './format-empty.ts';
import type { OpenedPools } from './opened-pools.ts';
import type { PoolPlace } from './pool-finder.ts';
import type { PoolOptions } from './pool-options.ts';

/**
 * Opens a pool where it is found, after formatting the device where there never was one and that is allowed; the cluster
 * remembers which one it was. Throws as Pool.open and mkfs do, NOT_FOUND where the pool that it was is away, and IN_USE
 * where what is there is another one.
 */
export async function openOrFormat(spec: PoolConfig, options: PoolOptions): Promise<Pool> {
  const { finder, admit, opened, identity } = options;
  const place = await finder.find(spec);
  const pool = await openAt(place, opened).catch((error: unknown) => formatInstead(spec, place, error, options));
  try {
    const objection = finder.objection(spec, pool) ?? admit(spec, pool);
    if (objection !== undefined) throw new FamfsError('IN_USE', objection);
    // Before it is written to: a pool that was used is not taken for a new one.
    if (pool.systemUuid === identity.clusterUuid.toLowerCase()) await finder.remember(spec, pool.uuid);
    return pool;
  } catch (error) {
    pool.close();
    throw error;
  }
}

async function openAt({ device, uuid }: PoolPlace, opened: OpenedPools): Promise<Pool> {
  const pool = opened.take(device);
  if (pool !== undefined && (uuid === undefined || pool.uuid === uuid)) return pool;
  pool?.close();
  return Pool.open({ ...sourceOf(device), ...(uuid === undefined ? {} : { uuid }) }, { writable: true });
}

async function formatInstead({ name, format, logSize }: PoolConfig, { device, missing }: PoolPlace, error: unknown, { lease, identity, log }: PoolOptions): Promise<Pool> {
  if (!(error instanceof FamfsError) || error.code !== 'NOT_FAMFS') throw error;
  if (missing !== undefined) throw new FamfsError('NOT_FOUND', missing, { cause: error });
  if (format !== 'ifEmpty') throw error;
  lease.mustHold();
  log.info('formatting an empty device', { pool: name, device });
  const uuid = await formatEmpty({ device, clusterUuid: identity.clusterUuid, ...(logSize === undefined ? {} : { logSize }) });
  log.info('formatted', { pool: name, device, uuid });
  return Pool.open({ ...sourceOf(device), uuid }, { writable: true });
}

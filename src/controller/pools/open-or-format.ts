import type { PoolConfig } from '../../csi/pool-config.ts';
import { FamfsError } from '../../famfs/errors.ts';
import { sourceOf } from '../../famfs/pool/pool-source.ts';
import { Pool } from '../../famfs/pool/pool.ts';
import { formatEmpty } from './format-empty.ts';
import type { PoolOptions } from './pool-options.ts';

/** Opens a pool, after formatting it where there is none and that is allowed. Throws as Pool.open and mkfs do. */
export async function openOrFormat({ device, format, logSize, name }: PoolConfig, { lease, identity, log, opened }: PoolOptions): Promise<Pool> {
  try {
    return opened.take(device) ?? Pool.open(sourceOf(device), { writable: true });
  } catch (error) {
    if (format !== 'ifEmpty' || !(error instanceof FamfsError) || error.code !== 'NOT_FAMFS') throw error;
  }
  lease.mustHold();
  log.info('formatting an empty device', { pool: name, device });
  const uuid = await formatEmpty({ device, clusterUuid: identity.clusterUuid, ...(logSize === undefined ? {} : { logSize }) });
  log.info('formatted', { pool: name, device, uuid });
  return Pool.open(sourceOf(device), { writable: true });
}

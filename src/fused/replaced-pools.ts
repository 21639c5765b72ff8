import type { Logger } from 'winston';
import { directoryHandle } from '../csi/volume-id.ts';
import { Overrides } from '../famfs/fuse/host-state/overrides.ts';
import { isSamePool } from '../famfs/fuse/session/served-pool.ts';
import type { SessionRecord } from '../famfs/fuse/session/session-record.ts';
import type { Notices } from '../state/interfaces.ts';
import type { Stages } from '../state/stages.ts';
import { identityOn } from './identify.ts';

export interface ReplacedPoolsOptions {
  readonly host: string;
  readonly hostDirectory: string;
  readonly stages: Pick<Stages, 'ofPool'>;
  readonly notices?: Notices;
  readonly log: Logger;
}

/** Pools of this host that were formatted anew while they were mounted: their sessions are over, and people have to hear of it. */
export class ReplacedPools {
  readonly #options: ReplacedPoolsOptions;
  readonly #counts = new Map<string, number>();

  constructor(options: ReplacedPoolsOptions) {
    this.#options = options;
  }

  /** How many sessions on a device have ended so. */
  countOn(device: string): number {
    return this.#counts.get(device) ?? 0;
  }

  /** To be called when a session has ended: where it was by this, says so, and removes what the host kept of that pool. */
  async sessionEnded(record: SessionRecord): Promise<void> {
    const { device, poolUuid, logLife, hostDirectory } = record;
    const found = identityOn(device);
    if (found === undefined || isSamePool(record, found)) return;
    const { host, stages, notices, log } = this.#options;
    this.#counts.set(device, this.countOn(device) + 1);
    const message = `the pool ${poolUuid} was formatted anew while ${host} had it mounted: ${device} holds ${found.poolUuid} now. ` +
      'What the pool held is gone; its pods here get errors: delete them and their claims';
    log.error('pool replaced under its mount', { pool: poolUuid, device, found: found.poolUuid });
    notices?.pool({ pool: poolUuid, severity: 'warning', reason: 'PoolReplaced', message });
    const directories = new Set((await stages.ofPool(poolUuid)).map(({ volume }) => directoryHandle(volume)));
    for (const volume of directories) notices?.volume({ volume, severity: 'warning', reason: 'VolumeLost', message });
    Overrides.remove(hostDirectory, poolUuid, logLife ?? '');
  }
}

import type { Logger } from 'winston';
import type { PoolConfig } from '../../csi/pool-config.ts';
import type { Pool } from '../../famfs/pool/pool.ts';
import type { WriterIdentity } from '../../famfs/writer/writer.ts';
import type { Hosts, Lease, Members, Notices } from '../../state/interfaces.ts';
import type { ClaimWatch } from './claim-watch.ts';
import type { OpenedPools } from './opened-pools.ts';
import type { PoolFinder } from './pool-finder.ts';

/** What every pool of a controller needs. */
export interface PoolOptions {
  readonly identity: WriterIdentity;
  readonly lease: Lease;
  readonly notices: Notices;
  readonly members: Members;
  readonly hosts: Hosts;
  /** Bytes of deleted memory zeroed a second. */
  readonly scrubRate: number;
  readonly log: Logger;
  /** Who has watched the pools' claims so far, by device. */
  readonly watches: ReadonlyMap<string, ClaimWatch>;
  /** Pools that were opened before the lease was had. */
  readonly opened: OpenedPools;
  readonly finder: PoolFinder;
  /** Why this pool is refused for this configuration: it is open under another name, too. */
  readonly admit: (spec: PoolConfig, pool: Pool) => string | undefined;
}

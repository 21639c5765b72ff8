// Original file: proto/fused.proto

import type { Pool as _famfs_fused_v1_Pool, Pool__Output as _famfs_fused_v1_Pool__Output } from '../../../famfs/fused/v1/Pool.ts';

export interface ListPoolsResponse {
  'pools'?: (_famfs_fused_v1_Pool)[];
}

export interface ListPoolsResponse__Output {
  'pools': (_famfs_fused_v1_Pool__Output)[];
}

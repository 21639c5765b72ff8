import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { EndSessionRequest as _famfs_fused_v1_EndSessionRequest, EndSessionRequest__Output as _famfs_fused_v1_EndSessionRequest__Output } from './famfs/fused/v1/EndSessionRequest.ts';
import type { EndSessionResponse as _famfs_fused_v1_EndSessionResponse, EndSessionResponse__Output as _famfs_fused_v1_EndSessionResponse__Output } from './famfs/fused/v1/EndSessionResponse.ts';
import type { EnsureSessionRequest as _famfs_fused_v1_EnsureSessionRequest, EnsureSessionRequest__Output as _famfs_fused_v1_EnsureSessionRequest__Output } from './famfs/fused/v1/EnsureSessionRequest.ts';
import type { EnsureSessionResponse as _famfs_fused_v1_EnsureSessionResponse, EnsureSessionResponse__Output as _famfs_fused_v1_EnsureSessionResponse__Output } from './famfs/fused/v1/EnsureSessionResponse.ts';
import type { FusedClient as _famfs_fused_v1_FusedClient, FusedDefinition as _famfs_fused_v1_FusedDefinition } from './famfs/fused/v1/Fused.ts';
import type { GetVolumeStatisticsRequest as _famfs_fused_v1_GetVolumeStatisticsRequest, GetVolumeStatisticsRequest__Output as _famfs_fused_v1_GetVolumeStatisticsRequest__Output } from './famfs/fused/v1/GetVolumeStatisticsRequest.ts';
import type { GetVolumeStatisticsResponse as _famfs_fused_v1_GetVolumeStatisticsResponse, GetVolumeStatisticsResponse__Output as _famfs_fused_v1_GetVolumeStatisticsResponse__Output } from './famfs/fused/v1/GetVolumeStatisticsResponse.ts';
import type { ListPoolsRequest as _famfs_fused_v1_ListPoolsRequest, ListPoolsRequest__Output as _famfs_fused_v1_ListPoolsRequest__Output } from './famfs/fused/v1/ListPoolsRequest.ts';
import type { ListPoolsResponse as _famfs_fused_v1_ListPoolsResponse, ListPoolsResponse__Output as _famfs_fused_v1_ListPoolsResponse__Output } from './famfs/fused/v1/ListPoolsResponse.ts';
import type { Pool as _famfs_fused_v1_Pool, Pool__Output as _famfs_fused_v1_Pool__Output } from './famfs/fused/v1/Pool.ts';
import type { SetMountGroupRequest as _famfs_fused_v1_SetMountGroupRequest, SetMountGroupRequest__Output as _famfs_fused_v1_SetMountGroupRequest__Output } from './famfs/fused/v1/SetMountGroupRequest.ts';
import type { SetMountGroupResponse as _famfs_fused_v1_SetMountGroupResponse, SetMountGroupResponse__Output as _famfs_fused_v1_SetMountGroupResponse__Output } from './famfs/fused/v1/SetMountGroupResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  famfs: {
    fused: {
      v1: {
        EndSessionRequest: MessageTypeDefinition<_famfs_fused_v1_EndSessionRequest, _famfs_fused_v1_EndSessionRequest__Output>
        EndSessionResponse: MessageTypeDefinition<_famfs_fused_v1_EndSessionResponse, _famfs_fused_v1_EndSessionResponse__Output>
        EnsureSessionRequest: MessageTypeDefinition<_famfs_fused_v1_EnsureSessionRequest, _famfs_fused_v1_EnsureSessionRequest__Output>
        EnsureSessionResponse: MessageTypeDefinition<_famfs_fused_v1_EnsureSessionResponse, _famfs_fused_v1_EnsureSessionResponse__Output>
        Fused: SubtypeConstructor<typeof grpc.Client, _famfs_fused_v1_FusedClient> & { service: _famfs_fused_v1_FusedDefinition }
        GetVolumeStatisticsRequest: MessageTypeDefinition<_famfs_fused_v1_GetVolumeStatisticsRequest, _famfs_fused_v1_GetVolumeStatisticsRequest__Output>
        GetVolumeStatisticsResponse: MessageTypeDefinition<_famfs_fused_v1_GetVolumeStatisticsResponse, _famfs_fused_v1_GetVolumeStatisticsResponse__Output>
        ListPoolsRequest: MessageTypeDefinition<_famfs_fused_v1_ListPoolsRequest, _famfs_fused_v1_ListPoolsRequest__Output>
        ListPoolsResponse: MessageTypeDefinition<_famfs_fused_v1_ListPoolsResponse, _famfs_fused_v1_ListPoolsResponse__Output>
        Pool: MessageTypeDefinition<_famfs_fused_v1_Pool, _famfs_fused_v1_Pool__Output>
        SetMountGroupRequest: MessageTypeDefinition<_famfs_fused_v1_SetMountGroupRequest, _famfs_fused_v1_SetMountGroupRequest__Output>
        SetMountGroupResponse: MessageTypeDefinition<_famfs_fused_v1_SetMountGroupResponse, _famfs_fused_v1_SetMountGroupResponse__Output>
      }
    }
  }
}


// Original file: proto/fused.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { EndSessionRequest as _famfs_fused_v1_EndSessionRequest, EndSessionRequest__Output as _famfs_fused_v1_EndSessionRequest__Output } from '../../../famfs/fused/v1/EndSessionRequest.ts';
import type { EndSessionResponse as _famfs_fused_v1_EndSessionResponse, EndSessionResponse__Output as _famfs_fused_v1_EndSessionResponse__Output } from '../../../famfs/fused/v1/EndSessionResponse.ts';
import type { EnsureSessionRequest as _famfs_fused_v1_EnsureSessionRequest, EnsureSessionRequest__Output as _famfs_fused_v1_EnsureSessionRequest__Output } from '../../../famfs/fused/v1/EnsureSessionRequest.ts';
import type { EnsureSessionResponse as _famfs_fused_v1_EnsureSessionResponse, EnsureSessionResponse__Output as _famfs_fused_v1_EnsureSessionResponse__Output } from '../../../famfs/fused/v1/EnsureSessionResponse.ts';
import type { GetVolumeStatisticsRequest as _famfs_fused_v1_GetVolumeStatisticsRequest, GetVolumeStatisticsRequest__Output as _famfs_fused_v1_GetVolumeStatisticsRequest__Output } from '../../../famfs/fused/v1/GetVolumeStatisticsRequest.ts';
import type { GetVolumeStatisticsResponse as _famfs_fused_v1_GetVolumeStatisticsResponse, GetVolumeStatisticsResponse__Output as _famfs_fused_v1_GetVolumeStatisticsResponse__Output } from '../../../famfs/fused/v1/GetVolumeStatisticsResponse.ts';
import type { ListPoolsRequest as _famfs_fused_v1_ListPoolsRequest, ListPoolsRequest__Output as _famfs_fused_v1_ListPoolsRequest__Output } from '../../../famfs/fused/v1/ListPoolsRequest.ts';
import type { ListPoolsResponse as _famfs_fused_v1_ListPoolsResponse, ListPoolsResponse__Output as _famfs_fused_v1_ListPoolsResponse__Output } from '../../../famfs/fused/v1/ListPoolsResponse.ts';
import type { SetMountGroupRequest as _famfs_fused_v1_SetMountGroupRequest, SetMountGroupRequest__Output as _famfs_fused_v1_SetMountGroupRequest__Output } from '../../../famfs/fused/v1/SetMountGroupRequest.ts';
import type { SetMountGroupResponse as _famfs_fused_v1_SetMountGroupResponse, SetMountGroupResponse__Output as _famfs_fused_v1_SetMountGroupResponse__Output } from '../../../famfs/fused/v1/SetMountGroupResponse.ts';

export interface FusedClient extends grpc.Client {
  EndSession(argument: _famfs_fused_v1_EndSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  EndSession(argument: _famfs_fused_v1_EndSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  EndSession(argument: _famfs_fused_v1_EndSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  EndSession(argument: _famfs_fused_v1_EndSessionRequest, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  endSession(argument: _famfs_fused_v1_EndSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  endSession(argument: _famfs_fused_v1_EndSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  endSession(argument: _famfs_fused_v1_EndSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  endSession(argument: _famfs_fused_v1_EndSessionRequest, callback: grpc.requestCallback<_famfs_fused_v1_EndSessionResponse__Output>): grpc.ClientUnaryCall;
  
  EnsureSession(argument: _famfs_fused_v1_EnsureSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  EnsureSession(argument: _famfs_fused_v1_EnsureSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  EnsureSession(argument: _famfs_fused_v1_EnsureSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  EnsureSession(argument: _famfs_fused_v1_EnsureSessionRequest, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  ensureSession(argument: _famfs_fused_v1_EnsureSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  ensureSession(argument: _famfs_fused_v1_EnsureSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  ensureSession(argument: _famfs_fused_v1_EnsureSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  ensureSession(argument: _famfs_fused_v1_EnsureSessionRequest, callback: grpc.requestCallback<_famfs_fused_v1_EnsureSessionResponse__Output>): grpc.ClientUnaryCall;
  
  GetVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  GetVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  GetVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  GetVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  getVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  getVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  getVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  getVolumeStatistics(argument: _famfs_fused_v1_GetVolumeStatisticsRequest, callback: grpc.requestCallback<_famfs_fused_v1_GetVolumeStatisticsResponse__Output>): grpc.ClientUnaryCall;
  
  ListPools(argument: _famfs_fused_v1_ListPoolsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  ListPools(argument: _famfs_fused_v1_ListPoolsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  ListPools(argument: _famfs_fused_v1_ListPoolsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  ListPools(argument: _famfs_fused_v1_ListPoolsRequest, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  listPools(argument: _famfs_fused_v1_ListPoolsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  listPools(argument: _famfs_fused_v1_ListPoolsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  listPools(argument: _famfs_fused_v1_ListPoolsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  listPools(argument: _famfs_fused_v1_ListPoolsRequest, callback: grpc.requestCallback<_famfs_fused_v1_ListPoolsResponse__Output>): grpc.ClientUnaryCall;
  
  SetMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  SetMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  SetMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  SetMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  setMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  setMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  setMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  setMountGroup(argument: _famfs_fused_v1_SetMountGroupRequest, callback: grpc.requestCallback<_famfs_fused_v1_SetMountGroupResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface FusedHandlers extends grpc.UntypedServiceImplementation {
  EndSession: grpc.handleUnaryCall<_famfs_fused_v1_EndSessionRequest__Output, _famfs_fused_v1_EndSessionResponse>;
  
  EnsureSession: grpc.handleUnaryCall<_famfs_fused_v1_EnsureSessionRequest__Output, _famfs_fused_v1_EnsureSessionResponse>;
  
  GetVolumeStatistics: grpc.handleUnaryCall<_famfs_fused_v1_GetVolumeStatisticsRequest__Output, _famfs_fused_v1_GetVolumeStatisticsResponse>;
  
  ListPools: grpc.handleUnaryCall<_famfs_fused_v1_ListPoolsRequest__Output, _famfs_fused_v1_ListPoolsResponse>;
  
  SetMountGroup: grpc.handleUnaryCall<_famfs_fused_v1_SetMountGroupRequest__Output, _famfs_fused_v1_SetMountGroupResponse>;
  
}

export interface FusedDefinition extends grpc.ServiceDefinition {
  EndSession: MethodDefinition<_famfs_fused_v1_EndSessionRequest, _famfs_fused_v1_EndSessionResponse, _famfs_fused_v1_EndSessionRequest__Output, _famfs_fused_v1_EndSessionResponse__Output>
  EnsureSession: MethodDefinition<_famfs_fused_v1_EnsureSessionRequest, _famfs_fused_v1_EnsureSessionResponse, _famfs_fused_v1_EnsureSessionRequest__Output, _famfs_fused_v1_EnsureSessionResponse__Output>
  GetVolumeStatistics: MethodDefinition<_famfs_fused_v1_GetVolumeStatisticsRequest, _famfs_fused_v1_GetVolumeStatisticsResponse, _famfs_fused_v1_GetVolumeStatisticsRequest__Output, _famfs_fused_v1_GetVolumeStatisticsResponse__Output>
  ListPools: MethodDefinition<_famfs_fused_v1_ListPoolsRequest, _famfs_fused_v1_ListPoolsResponse, _famfs_fused_v1_ListPoolsRequest__Output, _famfs_fused_v1_ListPoolsResponse__Output>
  SetMountGroup: MethodDefinition<_famfs_fused_v1_SetMountGroupRequest, _famfs_fused_v1_SetMountGroupResponse, _famfs_fused_v1_SetMountGroupRequest__Output, _famfs_fused_v1_SetMountGroupResponse__Output>
}

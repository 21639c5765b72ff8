// Original file: proto/fused.proto


export interface GetVolumeStatisticsRequest {
  'pool_uuid'?: (string);
  'directory'?: (string);
}

export interface GetVolumeStatisticsRequest__Output {
  'pool_uuid': (string);
  'directory': (string);
}

// Original file: proto/fused.proto

import type { Long } from '@grpc/proto-loader';

export interface GetVolumeStatisticsResponse {
  'total_bytes'?: (number | string | Long);
  'file_count'?: (number | string | Long);
}

export interface GetVolumeStatisticsResponse__Output {
  'total_bytes': (string);
  'file_count': (string);
}

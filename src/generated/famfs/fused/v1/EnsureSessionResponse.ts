// Original file: proto/fused.proto

import type { Long } from '@grpc/proto-loader';

export interface EnsureSessionResponse {
  'path'?: (string);
  'directory_node'?: (number | string | Long);
}

export interface EnsureSessionResponse__Output {
  'path': (string);
  'directory_node': (string);
}

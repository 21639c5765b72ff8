// Original file: proto/fused.proto

import type { Long } from '@grpc/proto-loader';

export interface Pool {
  'name'?: (string);
  'uuid'?: (string);
  'device'?: (string);
  'size_bytes'?: (number | string | Long);
  'session_path'?: (string);
  'problem'?: (string);
}

export interface Pool__Output {
  'name': (string);
  'uuid': (string);
  'device': (string);
  'size_bytes': (string);
  'session_path': (string);
  'problem': (string);
}

// Original file: proto/fused.proto


export interface EnsureSessionRequest {
  'pool_uuid'?: (string);
  'directory'?: (string);
}

export interface EnsureSessionRequest__Output {
  'pool_uuid': (string);
  'directory': (string);
}

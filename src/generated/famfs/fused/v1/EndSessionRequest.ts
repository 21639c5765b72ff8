// Original file: proto/fused.proto


export interface EndSessionRequest {
  'pool_uuid'?: (string);
}

export interface EndSessionRequest__Output {
  'pool_uuid': (string);
}

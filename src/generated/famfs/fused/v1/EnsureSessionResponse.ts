// Original file: proto/fused.proto


export interface EnsureSessionResponse {
  'path'?: (string);
}

export interface EnsureSessionResponse__Output {
  'path': (string);
}

// Original file: proto/fused.proto


export interface SetMountGroupResponse {
  'not_needed'?: (boolean);
}

export interface SetMountGroupResponse__Output {
  'not_needed': (boolean);
}

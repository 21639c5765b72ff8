// Original file: proto/fused.proto


export interface SetMountGroupRequest {
  'pool_uuid'?: (string);
  'directory'?: (string);
  'gid'?: (number);
  'readonly'?: (boolean);
  '_gid'?: "gid";
}

export interface SetMountGroupRequest__Output {
  'pool_uuid': (string);
  'directory': (string);
  'gid'?: (number);
  'readonly': (boolean);
  '_gid'?: "gid";
}

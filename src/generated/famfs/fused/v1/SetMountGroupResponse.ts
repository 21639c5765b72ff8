// Original file: proto/fused.proto


export interface SetMountGroupResponse {
}

export interface SetMountGroupResponse__Output {
}

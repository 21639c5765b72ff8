// Original file: proto/fused.proto


export interface ListPoolsRequest {
}

export interface ListPoolsRequest__Output {
}

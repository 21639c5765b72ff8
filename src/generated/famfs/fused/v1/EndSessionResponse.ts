// Original file: proto/fused.proto


export interface EndSessionResponse {
}

export interface EndSessionResponse__Output {
}

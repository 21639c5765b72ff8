import path from 'node:path';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType as CsiPackage } from '../../generated/csi.ts';
import type { ProtoGrpcType as FusedPackage } from '../../generated/fused.ts';
import type { ProtoGrpcType as RegistrationPackage } from '../../generated/pluginregistration.ts';

const folder = path.resolve(import.meta.dirname, '../../../proto');

/** The same options as in scripts/generate-proto-types.ts, which describes the result in types. */
function load(file: string): unknown {
  return loadPackageDefinition(loadSync(path.join(folder, file), {
    keepCase: true, longs: String, enums: String, defaults: true, oneofs: true,
  }));
}

/** Services and clients of the Container Storage Interface. */
export const csi = (load('csi.proto') as CsiPackage).csi.v1;

/** Service and client of a host's data plane. */
export const fused = (load('fused.proto') as FusedPackage).famfs.fused.v1;

/** Service and client of the kubelet's plugin registration. */
export const pluginRegistration = (load('pluginregistration.proto') as RegistrationPackage).pluginregistration;

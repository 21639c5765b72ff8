/** Requests of the CSI calls that tests make over and over, with what rarely matters filled in. */
import assert from 'node:assert/strict';
import { status, type ServiceError } from '@grpc/grpc-js';
import type { AccessMode } from '../../src/csi/capabilities.ts';
import type { csi } from '../../src/csi/server/protocols.ts';
import { MIB } from '../../src/famfs/units.ts';
import type { CreateVolumeRequest } from '../../src/generated/csi/v1/CreateVolumeRequest.ts';
import type { Volume__Output } from '../../src/generated/csi/v1/Volume.ts';
import type { VolumeCapability } from '../../src/generated/csi/v1/VolumeCapability.ts';
import { unary } from './grpc-client.ts';

export type ControllerClient = InstanceType<typeof csi.Controller>;
export type NodeClient = InstanceType<typeof csi.Node>;

export const RWX = 'MULTI_NODE_MULTI_WRITER';
export const RWO = 'SINGLE_NODE_WRITER';

/** A mount volume of this mode. */
export function mountOf(mode: AccessMode, mount: NonNullable<VolumeCapability['mount']> = {}): VolumeCapability {
  return { access_mode: { mode }, mount };
}

/** Makes a volume of 8 MiB for many nodes, unless the request says otherwise. */
export async function createVolume(
  client: ControllerClient, name: string, rest: CreateVolumeRequest = {},
): Promise<Volume__Output> {
  const request = { name, volume_capabilities: [mountOf(RWX)], capacity_range: { required_bytes: 8 * MIB }, ...rest };
  const { volume } = await unary(client, client.createVolume.bind(client), request) as { volume: Volume__Output };
  return volume;
}

export async function deleteVolume(client: ControllerClient, volumeId: string): Promise<void> {
  await unary(client, client.deleteVolume.bind(client), { volume_id: volumeId });
}

export async function attach(
  client: ControllerClient, volumeId: string, node: string, mode: AccessMode = RWX, readonly = false,
): Promise<Record<string, string>> {
  const request = { volume_id: volumeId, node_id: node, volume_capability: mountOf(mode), readonly };
  const answer = await unary(client, client.controllerPublishVolume.bind(client), request) as
    { publish_context: Record<string, string> };
  return answer.publish_context;
}

export async function detach(client: ControllerClient, volumeId: string, node: string): Promise<void> {
  await unary(client, client.controllerUnpublishVolume.bind(client), { volume_id: volumeId, node_id: node });
}

export async function stage(
  client: NodeClient, volumeId: string, staging: string, capability = mountOf(RWX),
): Promise<void> {
  await unary(client, client.nodeStageVolume.bind(client), {
    volume_id: volumeId, staging_target_path: staging, volume_capability: capability,
  });
}

export async function unstage(client: NodeClient, volumeId: string, staging: string): Promise<void> {
  await unary(client, client.nodeUnstageVolume.bind(client), { volume_id: volumeId, staging_target_path: staging });
}

export async function publish(
  client: NodeClient, volumeId: string, staging: string, target: string,
  { capability = mountOf(RWX), readonly = false, context = {} }:
  { capability?: VolumeCapability; readonly?: boolean; context?: Record<string, string> } = {},
): Promise<void> {
  await unary(client, client.nodePublishVolume.bind(client), {
    volume_id: volumeId, staging_target_path: staging, target_path: target,
    volume_capability: capability, readonly, publish_context: context,
  });
}

export async function unpublish(client: NodeClient, volumeId: string, target: string): Promise<void> {
  await unary(client, client.nodeUnpublishVolume.bind(client), { volume_id: volumeId, target_path: target });
}

/** Asserts that a call is refused with a code, and with a text that names what was wrong. */
export async function refused(call: Promise<unknown>, code: status, named: RegExp): Promise<void> {
  const error = await call.then(() => assert.fail(`expected ${status[code]}, but the call succeeded`), (e: ServiceError) => e);
  assert.equal(status[error.code], status[code], error.details);
  assert.match(error.details, named);
}

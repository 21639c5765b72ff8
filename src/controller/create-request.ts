import type { CreateVolumeRequest__Output } from '../generated/csi/v1/CreateVolumeRequest.ts';
import type { WantedVolume } from '../state/interfaces.ts';

/** The call that would ask for a volume, without asking for a place. */
export function createRequest({ name, bytes, modes, block, fsType, mountFlags, parameters, source }: WantedVolume): CreateVolumeRequest__Output {
  const access = block ? { block: {} } : { mount: { fs_type: fsType, mount_flags: [...mountFlags], volume_mount_group: '' } };
  return {
    name,
    capacity_range: { required_bytes: String(bytes), limit_bytes: '0' },
    volume_capabilities: modes.map((mode) => ({ ...access, access_mode: { mode }, access_type: block ? 'block' : 'mount' })),
    parameters: { ...parameters },
    volume_content_source: source === undefined ? null : { volume: { volume_id: source } },
    secrets: {},
    accessibility_requirements: null,
    mutable_parameters: {},
  } as CreateVolumeRequest__Output;
}

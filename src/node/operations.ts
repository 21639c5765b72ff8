import path from 'node:path';
import { refuse } from '../csi/errors.ts';
import { Locks } from '../csi/locks.ts';
import type { Operations } from '../csi/server/service.ts';
import { poolTopology } from '../csi/topology.ts';
import { directoryHandle } from '../csi/volume-id.ts';
import type { NodeHandlers } from '../generated/csi/v1/Node.ts';
import type { NodeVolumes } from './volumes.ts';

/** Exactly what this node claims to do. */
const CAPABILITIES = ['STAGE_UNSTAGE_VOLUME', 'GET_VOLUME_STATS', 'VOLUME_MOUNT_GROUP', 'SINGLE_NODE_MULTI_WRITER'] as const;

/** What a node is in its cluster. */
export interface NodeIdentity {
  readonly node: string;
  readonly driver: string;
  /** UUIDs of the pools that this host has at the moment. */
  readonly pools: () => Promise<readonly string[]>;
}

/** The node service: keeps calls about one directory, by whatever handle, or one target path apart and hands them on. */
export function nodeOperations(
  volumes: Pick<NodeVolumes, 'stage' | 'unstage' | 'publish' | 'unpublish' | 'statistics'>, identity: NodeIdentity,
): Operations<NodeHandlers> {
  const locks = new Locks();
  const locked = async (volumeId: string, target: string, work: () => Promise<void>) => {
    if (volumeId === '') throw refuse.invalid('volume_id is required');
    // Resolved: `/x`, `//x` and `/x/` are one place.
    const directory = directoryHandle(volumeId);
    await locks.run(target === '' ? [directory] : [directory, path.resolve(target)], work);
    return {};
  };
  return {
    NodeStageVolume: (request) => locked(request.volume_id, request.staging_target_path, () => volumes.stage(request)),
    NodeUnstageVolume: ({ volume_id: id, staging_target_path: place }) =>
      locked(id, place, () => volumes.unstage(id, place)),
    NodePublishVolume: (request) => locked(request.volume_id, request.target_path, () => volumes.publish(request)),
    NodeUnpublishVolume: ({ volume_id: id, target_path: target }) =>
      locked(id, target, () => volumes.unpublish(id, target)),
    // No locks from here on: these only read.
    NodeGetVolumeStats: async ({ volume_id: id, volume_path: place }) => {
      if (id === '') throw refuse.invalid('volume_id is required');
      const { bytes, files } = await volumes.statistics(id, place);
      // A volume is allocated in full when it is made. Told as "used", it would look full for ever.
      return {
        usage: [
          { unit: 'BYTES', total: bytes, available: bytes, used: 0 },
          { unit: 'INODES', total: files, available: files, used: 0 },
        ],
      };
    },
    NodeGetCapabilities: () => ({ capabilities: CAPABILITIES.map((type) => ({ rpc: { type } })) }),
    NodeGetInfo: async () => ({
      node_id: identity.node,
      max_volumes_per_node: 0, // no limit of ours
      accessible_topology: poolTopology(identity.driver, await identity.pools()),
    }),
  };
}

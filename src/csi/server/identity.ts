import type { ControllerGetCapabilitiesResponse } from '../../generated/csi/v1/ControllerGetCapabilitiesResponse.ts';
import type { IdentityHandlers } from '../../generated/csi/v1/Identity.ts';
import type { Operations } from './service.ts';

/** Exactly what our controller claims to do. */
export const CONTROLLER_CAPABILITIES: ControllerGetCapabilitiesResponse = {
  capabilities: ([
    'CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME', 'PUBLISH_READONLY', 'LIST_VOLUMES',
    'LIST_VOLUMES_PUBLISHED_NODES', 'GET_CAPACITY', 'SINGLE_NODE_MULTI_WRITER',
  ] as const).map((type) => ({ rpc: { type } })),
};

/**
 * Who we are and what the plugin as a whole can do; the same on every socket. Most sockets are only
 * bound by a process that can answer: a controller that holds the lease, a node plugin that has
 * found a pool. A socket that is there before that gives Probe's answer by `ready`.
 */
export function identityOperations(
  driver: string, version: string, ready: () => boolean | Promise<boolean> = () => true,
): Operations<IdentityHandlers> {
  return {
    GetPluginInfo: () => ({ name: driver, vendor_version: version }),
    GetPluginCapabilities: () => ({
      capabilities: [
        { service: { type: 'CONTROLLER_SERVICE' } },
        { service: { type: 'VOLUME_ACCESSIBILITY_CONSTRAINTS' } },
      ],
    }),
    Probe: async () => ({ ready: { value: await ready() } }),
  };
}

import type { IdentityHandlers } from '../generated/csi/v1/Identity.ts';
import type { Operations } from './service.ts';

/** Who we are and what the plugin as a whole can do; the same on every socket. */
export function identityOperations(driver: string, version: string): Operations<IdentityHandlers> {
  return {
    GetPluginInfo: () => ({ name: driver, vendor_version: version }),
    GetPluginCapabilities: () => ({
      capabilities: [
        { service: { type: 'CONTROLLER_SERVICE' } },
        { service: { type: 'VOLUME_ACCESSIBILITY_CONSTRAINTS' } },
      ],
    }),
    // Sockets are only bound by a process that can answer: a controller that holds the lease, a
    // node plugin that has found a pool.
    Probe: () => ({ ready: { value: true } }),
  };
}

/** What this driver is called where nothing else is configured: the provisioner of its classes. */
export const DEFAULT_DRIVER_NAME = 'csi.famfs.io';

/** A driver's name as the CSI specification allows it: a domain name of at most 63 characters. */
export function isDriverName(name: string): boolean {
  return name.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(name);
}

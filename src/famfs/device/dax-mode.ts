import fs from 'node:fs';
import path from 'node:path';

/** What a dax device is used for by each driver of the kernel but the one that shows its memory as a file (drivers/dax). */
const modes: Readonly<Record<string, string>> = {
  kmem: 'in system-ram mode: the kernel uses it as ordinary memory',
  fsdev_dax: 'bound to fsdev_dax: only file systems in the kernel can map it',
};

/**
 * Why the memory of a dax device cannot be mapped, and what to do, or undefined where its driver is none of
 * the reasons. In system-ram mode there is no file of the device; with fsdev_dax it can be opened and not mapped.
 */
export function daxModeProblem(devicePath: string, sysfs = '/sys'): string | undefined {
  const name = path.basename(devicePath);
  const device = path.join(sysfs, 'bus/dax/devices', name);
  if (!/^dax\d+\.\d+$/.test(name) || !fs.existsSync(device)) return undefined;
  const driver = driverOf(device);
  if (driver === 'device_dax') return undefined;
  const mode = driver === undefined ? 'bound to no driver' : modes[driver] ?? `bound to the driver ${driver}`;
  return `${devicePath} is ${mode}; make it a devdax device: daxctl reconfigure-device --mode=devdax ` +
    `${driver === 'kmem' ? '--force ' : ''}${name}`;
}

function driverOf(device: string): string | undefined {
  try {
    return path.basename(fs.readlinkSync(path.join(device, 'driver')));
  } catch {
    return undefined;
  }
}

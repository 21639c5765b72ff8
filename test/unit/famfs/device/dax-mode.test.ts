import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { daxModeProblem } from '../../../../src/famfs/device/dax-mode.ts';
import { tempDir } from '../../../harness/temp.ts';

/** A sysfs with one dax device, laid out as the kernel does it, bound to this driver. */
function sysfsWith(driver?: string): string {
  const root = tempDir('sysfs');
  const device = join(root, 'devices/platform/hmem.0/dax0.0');
  mkdirSync(device, { recursive: true });
  mkdirSync(join(root, 'bus/dax/devices'), { recursive: true });
  symlinkSync(device, join(root, 'bus/dax/devices/dax0.0'));
  if (driver !== undefined) {
    mkdirSync(join(root, 'bus/dax/drivers', driver), { recursive: true });
    symlinkSync(join(root, 'bus/dax/drivers', driver), join(device, 'driver'));
  }
  return root;
}

describe('the mode of a dax device', () => {
  const told: readonly [string | undefined, RegExp][] = [
    ['kmem', /dax0\.0 is in system-ram mode: .*; .*daxctl reconfigure-device --mode=devdax --force dax0\.0$/],
    ['fsdev_dax', /dax0\.0 is bound to fsdev_dax: .*; .*daxctl reconfigure-device --mode=devdax dax0\.0$/],
    ['other_dax', /dax0\.0 is bound to the driver other_dax; /],
    [undefined, /dax0\.0 is bound to no driver; /],
  ];
  for (const [driver, expected] of told) {
    it(`is told with what to do where the driver is ${driver ?? 'missing'}`, () => assert.match(daxModeProblem('/dev/dax0.0', sysfsWith(driver))!, expected));
  }

  it('is no reason for a failure where memory can be mapped, and for what is no dax device', () => {
    assert.equal(daxModeProblem('/dev/dax0.0', sysfsWith('device_dax')), undefined);
    assert.equal(daxModeProblem('/dev/dax1.0', sysfsWith('kmem')), undefined);
    assert.equal(daxModeProblem('/srv/pool', sysfsWith('kmem')), undefined);
  });
});

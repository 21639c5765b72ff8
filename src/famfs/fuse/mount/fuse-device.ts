import fs from 'node:fs';
import { FamfsError } from '../../errors.ts';

/** Opens /dev/fuse, for one mount. Throws FamfsError DEVICE. */
export function openFuse(): number {
  try {
    return fs.openSync('/dev/fuse', 'r+');
  } catch (error) {
    throw new FamfsError('DEVICE', `/dev/fuse cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Its device number, 10:229 in Documentation/admin-guide/devices.txt, as stat tells it. */
const FUSE_DEVICE = (10 << 8) | 229;

/** Whether an open file is /dev/fuse: what others send may be anything. */
export function isFuseDevice(fd: number): boolean {
  const stat = fs.fstatSync(fd);
  return stat.isCharacterDevice() && stat.rdev === FUSE_DEVICE;
}

import assert from 'node:assert/strict';
import { parseMountInfo } from '../../../../../src/famfs/fuse/mount/mountinfo.ts';

describe('mountinfo', () => {
  it('is read with escapes, optional fields and stacked mounts', () => {
    const mounts = parseMountInfo([
      '22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw',
      '99 28 0:51 /a\\040b\\134c /mnt/with\\040blank\\011tab ro,nosuid,nodev shared:5 master:2 - fuse.famfs famfs rw,user_id=0',
      '100 99 0:52 /x /mnt/with\\040blank\\011tab rw - fuse.famfs famfs rw',
      '',
    ].join('\n'));
    assert.equal(mounts.length, 3);
    assert.deepEqual(mounts[1], {
      device: '0:51', root: '/a b\\c', path: '/mnt/with blank\ttab', options: new Set(['ro', 'nosuid', 'nodev']), fsType: 'fuse.famfs',
    });
    assert.equal(mounts.findLast(({ path }) => path === '/mnt/with blank\ttab')?.device, '0:52');
  });
});

import assert from 'node:assert/strict';
import { parseMountinfo } from '../../../../../src/famfs/fuse/mount/mountinfo.ts';

describe('mountinfo', () => {
  it('is read with escapes, optional fields and stacked mounts', () => {
    const mounts = parseMountinfo([
      '22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw',
      '99 28 0:51 /a\\040b\\134c /mnt/with\\040blank\\011tab ro,nosuid,nodev shared:5 master:2 - fuse.famfs famfs rw,user_id=0',
      '100 99 0:52 /x /mnt/with\\040blank\\011tab rw - fuse.famfs famfs rw',
      '',
    ].join('\n'));
    assert.equal(mounts.length, 3);
    assert.deepEqual(mounts[1], {
      deviceNumber: '0:51', root: '/a b\\c', directory: '/mnt/with blank\ttab', options: new Set(['ro', 'nosuid', 'nodev']),
      type: 'fuse.famfs', source: 'famfs',
    });
    assert.equal(mounts.findLast(({ directory }) => directory === '/mnt/with blank\ttab')?.deviceNumber, '0:52');
  });

  it('is read whatever its optional fields', () => {
    const text = '36 35 0:51 / /mnt/a\\040b rw,nosuid shared:1 master:2 - fuse.famfs famfs:1234 rw,user_id=0\n' +
      '37 35 0:52 /sub /mnt rw - ext4 /dev/sda rw\n';
    assert.deepEqual(parseMountinfo(text), [
      { deviceNumber: '0:51', root: '/', directory: '/mnt/a b', options: new Set(['rw', 'nosuid']), type: 'fuse.famfs', source: 'famfs:1234' },
      { deviceNumber: '0:52', root: '/sub', directory: '/mnt', options: new Set(['rw']), type: 'ext4', source: '/dev/sda' },
    ]);
  });
});

/** Two virtual machines with one /dev/dax0.0: what pods on two hosts do with one volume. */
import assert from 'node:assert/strict';
import { program, root } from '../harness/paths.ts';
import { type GuestHost, node } from './host.ts';
import { describeOnGuests, device, places } from './rack.ts';

const mountPoint = '/tmp/m';
const file = `${mountPoint}/data`;
const digest = `sha256sum < ${file}`;
const application = `${node} ${root}/test/demo/application.ts`;
const mount = (options = ''): string => `mkdir -p ${mountPoint} && ${program} mount ${device} ${mountPoint} --host-dir /run/famfs ${options}`;

/** Runs a command on all hosts at the same time; returns what each printed. */
const onAll = (hosts: readonly GuestHost[], command: string): Promise<string[]> => Promise.all(hosts.map((host) => host.must(command)));

describeOnGuests('two guests with one /dev/dax0.0', {
  'write a file by turns, then read it together: the same bytes on both, through read and through memory': async (rack) => {
    const [a, b] = await rack.bootPair();
    const both = [a, b];
    await a.must(`${program} creat ${device} data 8MiB ${places}`);
    await onAll(both, mount());
    const written = await a.must(`dd if=/dev/urandom of=${file} bs=1M count=8 conv=notrunc,fsync status=none && ${digest}`);
    assert.equal(await b.must(digest), written);
    await b.must(`${application} write ${file} 5000001 'by the second host'`);
    assert.equal(await a.must(`${application} read ${file} 5000001 18`), 'by the second host');
    const [last, same] = await onAll(both, digest);
    assert.equal(last, same);
    assert.notEqual(last, written);

    await b.must(`${program} creat ${device} later 2MiB ${places}`);
    assert.equal(await a.must(`ls ${mountPoint}`), 'data\nlater', 'a mount shows what another host has made since');

    await onAll(both, `${program} umount ${mountPoint} && ${mount('--read-only')}`);
    assert.deepEqual(await onAll(both, digest), [last, last]);
    for (const host of both) {
      const { code, output } = await host.run(`echo x | dd of=${file} conv=notrunc`);
      assert.notEqual(code, 0, `${host.name} may write`);
      assert.match(output, /Read-only file system/);
    }
    assert.deepEqual(await onAll(both, digest), [last, last]);
    await onAll(both, `${program} umount ${mountPoint} && ${program} fsck ${device}`);
  },
});

/** Two virtual machines with one /dev/dax0.0: what pods on two hosts do with one volume. */
import assert from 'node:assert/strict';
import { program, root } from '../harness/paths.ts';
import { node, type GuestHost } from './host.ts';
import { describeOnGuests, device, places } from './rack.ts';

const mountPoint = '/tmp/m';
const file = `${mountPoint}/data`;
const digest = `sha256sum < ${file}`;
const application = `${node} ${root}/test/demo/application.ts`;
const mount = (options = ''): string => `mkdir -p ${mountPoint} && ${program} mount ${device} ${mountPoint} --host-dir /run/famfs ${options}`;

/** Runs a command on all hosts at the same time; returns what each printed. */
const onAll = (hosts: readonly GuestHost[], command: string): Promise<string[]> => Promise.all(hosts.map((host) => host.must(command)));

describeOnGuests('two guests with one /dev/dax0.0', {
  'write a file by turns: each reads what the other has written, through read and through memory': async (rack) => {
    const [a, b] = await rack.bootPair();
    await a.must(`${program} creat ${device} data 8MiB ${places}`);
    await onAll([a, b], mount());
    const written = await a.must(`dd if=/dev/urandom of=${file} bs=1M count=8 conv=notrunc,fsync status=none && ${digest}`);
    assert.equal(await b.must(digest), written);

    await b.must(`${application} write ${file} 5000001 'by the second host'`);
    assert.equal(await a.must(`${application} read ${file} 5000001 18`), 'by the second host');
    const [one, two] = await onAll([a, b], digest);
    assert.equal(one, two);
    assert.notEqual(one, written);

    await b.must(`${program} creat ${device} later 2MiB ${places}`);
    assert.equal(await a.must(`ls ${mountPoint}`), 'data\nlater', 'a mount shows what another host has made since');
    await onAll([a, b], `${program} umount ${mountPoint} && ${program} fsck ${device}`);
  },

  'read a file together, neither allowed to change it': async (rack) => {
    const [a, b] = await rack.bootPair();
    await a.must(`${program} creat ${device} data 8MiB ${places}`);
    const written = await a.must(
      `${mount()} && dd if=/dev/urandom of=${file} bs=1M count=8 conv=notrunc status=none && ${digest} && ${program} umount ${mountPoint}`,
    );
    await onAll([a, b], mount('--read-only'));
    assert.deepEqual(await onAll([a, b], digest), [written, written]);
    for (const host of [a, b]) {
      const { code, output } = await host.run(`echo x | dd of=${file} conv=notrunc`);
      assert.notEqual(code, 0, `${host.name} may write`);
      assert.match(output, /Read-only file system/);
    }
    assert.deepEqual(await onAll([a, b], digest), [written, written]);
    await onAll([a, b], `${program} umount ${mountPoint} && ${program} fsck ${device}`);
  },
});

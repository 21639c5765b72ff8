/** Volumes in pods with `hostUsers: false`: the container runtime bind-mounts them id-mapped. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { MIB } from '../../src/famfs/units.ts';
import { tempDir } from '../harness/temp.ts';
import { Host, outcome } from '../support/host.ts';
import { PodUsers } from '../support/idmap.ts';
import { withMapping } from '../support/libc.ts';
import { manyUsers } from '../support/other-user.ts';
import { PoolFixture } from '../support/pool-fixture.ts';

describe('a pod with hostUsers: false', () => {
  let pool: PoolFixture;
  let host: Host;
  let users: PodUsers;
  let target: string;

  before(async function () {
    if (!manyUsers() || !hasIdmap()) return;
    pool = await PoolFixture.make(64 * MIB);
    pool.volume('vol', 4 * MIB);
    host = await Host.mount(pool.path);
    fs.chownSync(host.path('vol/data'), 1000, 1000);
    fs.chmodSync(host.path('vol/data'), 0o640);
    users = await PodUsers.make();
    const place = tempDir('pod');
    fs.chmodSync(place, 0o755);
    target = join(place, 'volume');
    fs.mkdirSync(target);
  });

  after(async () => {
    if (target !== undefined) await unmountFuse(target, { lazy: true }).catch(() => {});
    users?.end();
    await host?.end();
    pool?.close();
  });

  /** What a program of the pod prints, or the end of its complaint. */
  const inPod = (uid: number, ...command: string[]) => {
    const [program, args] = users.command(uid, ...command);
    const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : stderr.trim().split(': ').at(-1);
  };

  it('has its volume with the owners that the volume has, and reads, writes and maps it', function () {
    if (!manyUsers() || !hasIdmap()) this.skip();
    users.bindMount(host.path('vol'), target);
    const file = join(target, 'data');
    const data = host.path('vol/data');
    assert.equal(fs.statSync(file).uid, users.first + 1000, 'seen by the host');
    assert.equal(inPod(0, 'stat', '-c', '%u %g %a', file), '1000 1000 640', 'seen by the pod');
    assert.equal(inPod(0, 'ls', target), 'data');

    const write = (uid: number, text: string) => inPod(uid, 'sh', '-c', `printf ${text} | dd of=${file} conv=notrunc status=none`);
    assert.equal(write(1000, 'owner'), '');
    assert.equal(fs.readFileSync(data).toString('utf8', 0, 5), 'owner');
    assert.equal(inPod(1000, 'head', '-c', '5', file), 'owner');
    assert.equal(write(1001, 'other'), 'Permission denied');
    assert.equal(inPod(1001, 'head', '-c', '5', file), 'Permission denied');
    assert.equal(write(0, 'admin'), '', 'root of the pod may, as the ids are its own');
    withMapping(file, 4096, true, (bytes) => bytes.write('mapped'));
    assert.equal(inPod(0, 'head', '-c', '6', file), 'mapped');

    assert.equal(inPod(0, 'chown', '7:8', file), '');
    const { uid, gid } = fs.statSync(data);
    assert.deepEqual([uid, gid], [7, 8], 'the ids of the pod are those of the volume');
    assert.equal(inPod(7, 'chmod', '604', file), '');
    assert.equal(inPod(1001, 'head', '-c', '6', file), 'mapped');
    assert.match(inPod(0, 'touch', join(target, 'new'))!, /not permitted/);
    assert.equal(outcome(() => fs.statfsSync(target)), 'OK');
  });
});

/** FUSE has had id-mapped mounts since Linux 6.12; before, mount_setattr answers EINVAL. */
function hasIdmap(): boolean {
  const [major, minor] = fs.readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 12);
}

/** A guest that writes to the pool is switched off; another one goes on where it was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { program, root } from '../harness/paths.ts';
import { remove, shmFile } from '../harness/temp.ts';
import { untilSo } from '../support/until.ts';
import { type GuestHost, node, share } from './host.ts';
import { describeOnGuests, device, places, type Rack } from './rack.ts';
import { createVolume, startRole, stopRole } from './roles.ts';

/** About three batches: stops in an append, wherever, but for the few stores that begin no slot. */
const mostStores = 500;

/** The names that a host's writer has acknowledged, and perhaps that it stands still. */
function linesOf(rack: Rack, name: string): string[] {
  const file = join(rack.share, name);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

/** Starts the writer on a host, and pulls the host's plug when its lines are as wanted; returns what was acknowledged. */
async function switchOffWhile(rack: Rack, host: GuestHost, file: string, limits: string, isTime: (lines: string[]) => boolean): Promise<string[]> {
  const cluster = readFileSync(join(rack.share, 'state/cluster-uuid'), 'utf8').trim();
  const identity = JSON.stringify({ clusterUuid: cluster, hostId: host.name, hostDirectory: '/run/famfs' });
  await host.must(`${node} ${root}/test/vm/inside/append.ts ${device} '${identity}' ${share}/${file} ${limits} > /tmp/append.log 2>&1 &`);
  await untilSo('the writer makes volumes', () => isTime(linesOf(rack, file)), { everyMs: 5, describe: () => host.must('cat /tmp/append.log') });
  await rack.powerOff(host);
  return linesOf(rack, file).filter((line) => !line.includes(' '));
}

/** All that a host sees in the pool; every volume is whole. */
async function treeOf(host: GuestHost): Promise<string[]> {
  const nodes = JSON.parse(await host.must(`${program} ls -r --json ${device}`)) as { path: string; kind: string }[];
  const paths = nodes.map(({ path }) => path).sort();
  for (const { path, kind } of nodes) {
    if (kind === 'directory') assert.ok(paths.includes(`${path}/data`), `${path} is half a volume`);
  }
  return paths;
}

function assertAll(paths: string[], acknowledged: readonly string[]): void {
  assert.deepEqual(acknowledged.filter((name) => !paths.includes(`${name}/data`)), [], 'acknowledged volumes are lost');
}

/** Checks what is in the memory without any guest: from the device's first byte in the memory file. */
function fsckOutside(rack: Rack): void {
  const copy = shmFile('copy');
  const dd = ['dd', `if=${rack.memoryFile}`, `of=${copy}`, 'bs=2M', 'conv=sparse', 'iflag=skip_bytes,count_bytes', 'status=none'];
  const copied = spawnSync('nice', [...dd, `skip=${rack.deviceOffset}`, `count=${rack.deviceSize}`], { encoding: 'utf8' });
  assert.equal(copied.status, 0, copied.stderr);
  const { status, stdout } = spawnSync(program, ['fsck', copy], { encoding: 'utf8' });
  remove(dirname(copy));
  assert.equal(status, 0, stdout);
}

describeOnGuests('a guest that is switched off while it writes', {
  'in mid-append is followed by a controller after the lease time, and comes back to the same log': async (rack) => {
    const [a, b] = await rack.bootPair();
    const stores = randomInt(1, mostStores);
    console.log(`      switched off before store ${stores}`);
    const acknowledged = await switchOffWhile(rack, a, 'names', `5 ${stores}`, (lines) => lines.includes('between two stores'));
    assert.ok(acknowledged.length >= 5);

    await startRole(b, 'controller');
    await createVolume(b, 'after', 4 << 20);
    const seen = await treeOf(b);
    assertAll(seen, acknowledged);
    assert.ok(seen.includes('after/data'));

    const again = await rack.boot('a');
    assert.deepEqual(await treeOf(again), seen, 'both hosts see the same log');
    await again.must(`${program} fsck ${device}`);
    await stopRole(b, 'controller');
    await again.must(`${program} creat ${device} after/more 2MiB ${places} --node-id a`);
    assert.deepEqual(await treeOf(b), [...seen, 'after/more'].sort());
    await b.must(`${program} fsck ${device}`);
    fsckOutside(rack);
  },

  'at any moment is followed by a command at once, with the word of the operator': async (rack) => {
    const [a, b] = await rack.bootPair();
    const count = randomInt(5, 25);
    const acknowledged = await switchOffWhile(rack, a, 'names', '', (lines) => lines.length >= count);
    const create = `${program} creat ${device} after 2MiB ${places}`;
    const refused = await b.run(create);
    assert.equal(refused.code, 1, refused.output);
    assert.match(refused.output, /a\/[0-9a-f]{16} writes to this pool.*--assume-stopped/);
    await b.must(`${create} --assume-stopped`);
    const seen = await treeOf(b);
    assertAll(seen, acknowledged);
    assert.ok(seen.includes('after'));
    await b.must(`${program} fsck ${device}`);
    fsckOutside(rack);
  },
});

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { silentLog } from '../../src/csi/log.ts';
import { csi } from '../../src/csi/server/protocols.ts';
import { parseMountinfo } from '../../src/famfs/fuse/mount/mountinfo.ts';
import { findSessions } from '../../src/famfs/fuse/session/session.ts';
import { MIB } from '../../src/famfs/units.ts';
import { openDirectoryState } from '../../src/state/directory.ts';
import { Cluster, type ClusterNode } from '../demo/cluster.ts';
import { startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import {
  attach, type ControllerClient, createVolume, deleteVolume, detach, mountOf, publish, refused, RWO, RWX, stage,
  unpublish, unstage,
} from '../support/csi-requests.ts';
import { plain, unary } from '../support/grpc-client.ts';
import { manyUsers } from '../support/other-user.ts';
import { until, untilSo } from '../support/until.ts';

describe('CSI on real parts', () => {
  const directory = tempDir('csi');
  const device = shmFile('pool');
  const cluster = new Cluster(directory, device);
  let controller: ControllerClient;
  let a: ClusterNode;
  let b: ClusterNode;

  before(async () => {
    execFileSync(program, ['mkfs', device, '--simulate', '512MiB', '--state-dir', cluster.stateDirectory], { stdio: 'pipe' });
    controller = await cluster.startController();
    a = await cluster.startNode('node-a');
    b = await cluster.startNode('node-b');
  });

  after(async () => assert.deepEqual(await cluster.stop(), []));

  const staging = (node: ClusterNode, name: string) => join(node.directory, 'staging', name);
  const target = (node: ClusterNode, name: string) => join(node.directory, 'pods', name);
  const mountsAt = (node: ClusterNode, place: string) =>
    node.host.mountsBelow(directory).filter((point) => point === place).length;
  const capacity = async () => Number((await unary(controller, controller.getCapacity.bind(controller), {}) as
    { available_capacity: string }).available_capacity);

  /** Attaches, stages and publishes; answers the target. */
  async function use(node: ClusterNode, volumeId: string, name: string, readonly = false): Promise<string> {
    const context = await attach(controller, volumeId, node.name, RWX, readonly);
    await stage(node.client, volumeId, staging(node, name));
    await publish(node.client, volumeId, staging(node, name), target(node, name), { readonly, context });
    return target(node, name);
  }

  /** Undoes `use`. */
  async function leave(node: ClusterNode, volumeId: string, name: string): Promise<void> {
    await unpublish(node.client, volumeId, target(node, name));
    await unstage(node.client, volumeId, staging(node, name));
    await detach(controller, volumeId, node.name);
  }

  it('claims exactly what it does', async () => {
    const identity = new csi.Identity(`unix://${join(directory, 'controller.sock')}`, plain);
    const rpcs = (answer: unknown) => (answer as { capabilities: { rpc?: { type: string }; service?: { type: string } }[] })
      .capabilities.map(({ rpc, service }) => (rpc ?? service)!.type).sort();
    try {
      assert.deepEqual(rpcs(await unary(identity, identity.getPluginCapabilities.bind(identity), {})),
        ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS']);
      assert.deepEqual(await unary(identity, identity.probe.bind(identity), {}), { ready: { value: true } });
    } finally {
      identity.close();
    }
    assert.deepEqual(rpcs(await unary(controller, controller.controllerGetCapabilities.bind(controller), {})), [
      'CREATE_DELETE_VOLUME', 'GET_CAPACITY', 'LIST_VOLUMES', 'LIST_VOLUMES_PUBLISHED_NODES',
      'PUBLISH_READONLY', 'PUBLISH_UNPUBLISH_VOLUME', 'SINGLE_NODE_MULTI_WRITER',
    ]);
    assert.deepEqual(rpcs(await unary(a.client, a.client.nodeGetCapabilities.bind(a.client), {})),
      ['GET_VOLUME_STATS', 'SINGLE_NODE_MULTI_WRITER', 'STAGE_UNSTAGE_VOLUME', 'VOLUME_MOUNT_GROUP']);
  });

  it('shares one volume between two nodes, read-only on the second', async () => {
    const odd = { capacity_range: { required_bytes: 3 * MIB } };
    const { volume_id: id, capacity_bytes: size } = await createVolume(controller, 'shared', odd);
    assert.equal(Number(size), 4 * MIB);
    const writing = join(await use(a, id, 'shared'), 'data');
    const reading = join(await use(b, id, 'shared', true), 'data');
    const said = a.host.run(['sh', '-c', `printf 'written on a' | dd of=${writing} bs=1M conv=notrunc status=none`]);
    assert.equal(said.code, 0, said.problem);
    assert.equal(b.host.run(['head', '-c', '12', reading]).output, 'written on a');
    assert.match(b.host.run(['sh', '-c', `printf x | dd of=${reading} conv=notrunc`]).problem, /Read-only file system/);
    assert.equal(b.host.run(['stat', '-c', '%s', reading]).output.trim(), String(4 * MIB));
    await leave(a, id, 'shared');
    await leave(b, id, 'shared');
    assert.ok(!existsSync(target(a, 'shared')));
    await deleteVolume(controller, id);
  });

  it('knows the hosts that have the pool mounted', async () => {
    const { members } = openDirectoryState(cluster.stateDirectory, silentLog());
    const uuid = (await createVolume(controller, 'members')).volume_id.split('/')[0]!;
    assert.deepEqual((await members.list(uuid)).map(({ host }) => host).sort(), ['node-a', 'node-b']);
    await deleteVolume(controller, `${uuid}/members`);
  });

  it('tells statistics of a volume: all of it available', async () => {
    const { volume_id: id } = await createVolume(controller, 'statistics');
    const place = await use(a, id, 'statistics');
    const { usage } = await unary(a.client, a.client.nodeGetVolumeStats.bind(a.client), { volume_id: id, volume_path: place }) as
      { usage: { unit: string; total: string; available: string; used: string }[] };
    assert.deepEqual(usage.map(({ unit, total, available, used }) => [unit, total, available, used]),
      [['BYTES', String(8 * MIB), String(8 * MIB), '0'], ['INODES', '1', '1', '0']]);
    await refused(unary(a.client, a.client.nodeGetVolumeStats.bind(a.client), { volume_id: id, volume_path: join(place, 'no') }),
      status.NOT_FOUND, /neither staged nor mounted at/);
    await leave(a, id, 'statistics');
    await deleteVolume(controller, id);
  });

  it('keeps a single-node volume on its node, naming it', async () => {
    const { volume_id: id } = await createVolume(controller, 'single', { volume_capabilities: [mountOf(RWO)] });
    await attach(controller, id, 'node-a', RWO);
    await attach(controller, id, 'node-a', RWO);
    await refused(attach(controller, id, 'node-b', RWO), status.FAILED_PRECONDITION, /node-a/);
    await refused(attach(controller, id, 'node-a', RWX), status.ALREADY_EXISTS, /SINGLE_NODE_WRITER/);
    await refused(attach(controller, id, 'node-c', RWO), status.NOT_FOUND, /node-c/);
    await refused(deleteVolume(controller, id), status.FAILED_PRECONDITION, /node-a/);
    const { entries } = await unary(controller, controller.listVolumes.bind(controller), {}) as
      { entries: { volume: { volume_id: string }; status: { published_node_ids: string[] } }[] };
    assert.deepEqual(entries.find(({ volume }) => volume.volume_id === id)?.status.published_node_ids, ['node-a']);
    await detach(controller, id, 'node-a');
    await detach(controller, id, 'node-a');
    await attach(controller, id, 'node-b', RWO);
    await detach(controller, id, '');
    await deleteVolume(controller, id);
  });

  it('takes every call twice', async () => {
    const first = await createVolume(controller, 'twice');
    assert.deepEqual(await createVolume(controller, 'twice'), first);
    const id = first.volume_id;
    await use(a, id, 'twice');
    await use(a, id, 'twice');
    assert.equal(mountsAt(a, target(a, 'twice')), 1);
    assert.equal(mountsAt(a, staging(a, 'twice')), 0);
    await refused(publish(a.client, id, staging(a, 'twice'), target(a, 'twice'), { readonly: true }), status.ALREADY_EXISTS, /rw/);
    await refused(stage(a.client, id, staging(a, 'twice'), mountOf('SINGLE_NODE_SINGLE_WRITER')), status.ALREADY_EXISTS, /staged as/);
    await refused(createVolume(controller, 'twice', { capacity_range: { required_bytes: 16 * MIB } }), status.ALREADY_EXISTS, /8388608/);
    await refused(createVolume(controller, 'twice', { parameters: { uid: '7' } }), status.ALREADY_EXISTS, /uid/);
    await leave(a, id, 'twice');
    await leave(a, id, 'twice');
    await deleteVolume(controller, id);
    await deleteVolume(controller, id);
  });

  it('is safe under concurrent repeats', async () => {
    const settle = async <Result>(calls: Promise<Result>[]): Promise<Result[]> => {
      const settled = await Promise.allSettled(calls);
      for (const one of settled) if (one.status === 'rejected') assert.equal(status[(one.reason as { code: status }).code], 'ABORTED');
      return settled.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
    };
    const eight = Array.from({ length: 8 });
    const made = await settle(eight.map(() => createVolume(controller, 'concurrent')));
    assert.ok(made.length > 0);
    assert.equal(new Set(made.map(({ volume_id: id }) => id)).size, 1);
    const id = made[0]!.volume_id;
    await attach(controller, id, 'node-a');
    assert.ok((await settle(eight.map(() => stage(a.client, id, staging(a, 'concurrent'))))).length > 0);
    const publishing = eight.map(() => publish(a.client, id, staging(a, 'concurrent'), target(a, 'concurrent')));
    assert.ok((await settle(publishing)).length > 0);
    assert.equal(mountsAt(a, target(a, 'concurrent')), 1);
    await settle(eight.map(() => unpublish(a.client, id, target(a, 'concurrent'))));
    await leave(a, id, 'concurrent');
    await settle(eight.map(() => deleteVolume(controller, id)));
    await deleteVolume(controller, id);
  });

  it('allows RWOP one target', async () => {
    const RWOP = mountOf('SINGLE_NODE_SINGLE_WRITER');
    const { volume_id: id } = await createVolume(controller, 'rwop', { volume_capabilities: [RWOP] });
    await stage(a.client, id, staging(a, 'rwop'), RWOP);
    await publish(a.client, id, staging(a, 'rwop'), target(a, 'rwop'), { capability: RWOP });
    await refused(publish(a.client, id, staging(a, 'rwop'), target(a, 'rwop-2'), { capability: RWOP }), status.FAILED_PRECONDITION, /one target/);
    await unpublish(a.client, id, target(a, 'rwop'));
    await publish(a.client, id, staging(a, 'rwop'), target(a, 'rwop-2'), { capability: RWOP });
    await unpublish(a.client, id, target(a, 'rwop-2'));
    await unstage(a.client, id, staging(a, 'rwop'));
    await deleteVolume(controller, id);
  });

  it('presents a volume with one group, and keeps privileges off it', async () => {
    const group = (id: string, flags: string[] = []) => mountOf(RWX, { volume_mount_group: id, mount_flags: flags });
    // An ordinary user's namespace knows no ids but its own.
    const [owner, mine] = readFileSync('/proc/self/gid_map', 'utf8').includes('4294967295') ? ['1000', '2000'] : ['0', '0'];
    const { volume_id: id } = await createVolume(controller, 'group', { parameters: { mode: '0600', uid: owner, gid: owner } });
    await stage(a.client, id, staging(a, 'group'), group(mine));
    await publish(a.client, id, staging(a, 'group'), target(a, 'group'), { capability: group(mine, ['noexec']) });
    const shown = a.host.run(['stat', '-c', '%u:%g:%a', join(target(a, 'group'), 'data')]);
    assert.equal(shown.output.trim(), `${owner}:${mine}:660`);
    const options = a.host.run(['findmnt', '-no', 'VFS-OPTIONS', target(a, 'group')]).output.trim().split(',');
    assert.ok(['nosuid', 'nodev', 'noexec', 'rw'].every((option) => options.includes(option)), options.join());
    await refused(publish(a.client, id, staging(a, 'group'), target(a, 'group-2'), { capability: group('3000') }),
      status.FAILED_PRECONDITION, new RegExp(`group ${mine} .*3000`));
    await unpublish(a.client, id, target(a, 'group'));
    await unstage(a.client, id, staging(a, 'group'));
    await deleteVolume(controller, id);
  });

  it('lets other users of a host read a volume where it is published, and not where its pool is mounted', async function () {
    if (!manyUsers()) this.skip();
    const { volume_id: id } = await createVolume(controller, 'doors');
    const pod = join(a.directory, 'pod');
    mkdirSync(pod);
    for (const open of [directory, a.directory, pod]) chmodSync(open, 0o755);
    const context = await attach(controller, id, a.name, RWX);
    await stage(a.client, id, staging(a, 'doors'));
    await publish(a.client, id, staging(a, 'doors'), join(pod, 'volume'), { context });
    const [{ directory: session }] = findSessions(a.directory);
    const read = (file: string) => a.host.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'head', '-c', '1', file]);
    assert.equal(read(join(pod, 'volume/data')).code, 0);
    assert.match(read(join(session, 'doors/data')).problem, /Permission denied/);
    assert.equal(a.host.run(['head', '-c', '1', join(session, 'doors/data')]).code, 0, 'root may');
    await unpublish(a.client, id, join(pod, 'volume'));
    await unstage(a.client, id, staging(a, 'doors'));
    await detach(controller, id, a.name);
    await deleteVolume(controller, id);
  });

  it('takes off a path nothing but what the volume itself has there', async () => {
    const { volume_id: id } = await createVolume(controller, 'mine');
    const { volume_id: other } = await createVolume(controller, 'theirs');
    await use(a, id, 'mine');
    await use(a, other, 'theirs');
    const [{ directory: session }] = findSessions(a.directory);
    const dead = target(a, 'dead');
    mkdirSync(dead, { recursive: true });
    mountDead(a, dead);
    const before = a.host.mountsBelow(directory);
    const linked = join(a.directory, 'linked');
    symlinkSync(dirname(target(a, 'theirs')), linked);
    for (const place of [staging(a, 'theirs'), `/${staging(a, 'theirs')}`, staging(a, 'mine'), target(a, 'theirs'), join(linked, 'theirs'), session, dead]) {
      await refused(unpublish(a.client, id, place), status.FAILED_PRECONDITION, /is where .* is staged|is not a mount of .*mine, but of/);
    }
    for (const place of [target(a, 'mine'), target(a, 'theirs'), session, dead]) {
      await refused(unstage(a.client, id, place), status.FAILED_PRECONDITION, /is where .* is published|is not a mount of .*mine, but of/);
    }
    await refused(unpublish(a.client, id, join(session, 'mine')), status.FAILED_PRECONDITION, /is inside of the pool/);
    await refused(unpublish(a.client, 'nonsense', target(a, 'mine')), status.FAILED_PRECONDITION, /is not a mount of nonsense/);
    await refused(publish(a.client, id, staging(a, 'mine'), dead), status.ALREADY_EXISTS, /is a mount of something else/);
    assert.deepEqual(a.host.mountsBelow(directory), before);
    await refused(unary(a.client, a.client.nodeGetVolumeStats.bind(a.client), { volume_id: id, volume_path: staging(a, 'theirs') }),
      status.NOT_FOUND, /neither staged nor mounted at/);
    a.host.run(['umount', dead]);
    for (const [each, name] of [[id, 'mine'], [other, 'theirs']] as const) {
      await leave(a, each, name);
      await deleteVolume(controller, each);
    }
  });

  it('unpublishes and unstages a volume that was deleted meanwhile', async () => {
    const { volume_id: id } = await createVolume(controller, 'stale');
    const place = await use(a, id, 'stale');
    await detach(controller, id, a.name); // a cluster that attaches nothing asks no node before it deletes
    await deleteVolume(controller, id);
    while (!/Stale file handle/.test(a.host.run(['stat', place]).problem)) await delay(50); // the test's own limit ends it
    await leave(a, id, 'stale');
    assert.equal(mountsAt(a, place), 0);
    assert.ok(!existsSync(place));
  });

  it('mounts a volume anew that was deleted and made again while it was published', async () => {
    const { volume_id: id } = await createVolume(controller, 'again');
    const place = await use(a, id, 'again');
    await detach(controller, id, a.name);
    await deleteVolume(controller, id);
    await refused(stage(a.client, id, staging(a, 'again')), status.NOT_FOUND, /no directory "again"/);
    assert.equal((await createVolume(controller, 'again')).volume_id, id);
    await use(a, id, 'again');
    assert.equal(a.host.run(['stat', '-c', '%s', join(place, 'data')]).output.trim(), String(8 * MIB));
    assert.equal(mountsAt(a, place), 1);
    await leave(a, id, 'again');
    await deleteVolume(controller, id);
  });

  it('publishes again after the pool\'s session was forced away', async () => {
    const { volume_id: id } = await createVolume(controller, 'session');
    const place = await use(a, id, 'session');
    abortSessions(a);
    assert.match(a.host.run(['stat', '-f', place]).problem, /not connected|connection abort/);
    await use(a, id, 'session');
    assert.equal(a.host.run(['stat', '-c', '%s', join(place, 'data')]).output.trim(), String(8 * MIB));
    assert.equal(mountsAt(a, place), 1);
    abortSessions(a);
    await leave(a, id, 'session');
    assert.equal(mountsAt(a, place), 0);
    await deleteVolume(controller, id);
  });

  it('stages and publishes a volume again whose session was replaced, though the old one still serves', async () => {
    const { volume_id: id } = await createVolume(controller, 'replaced');
    const place = await use(a, id, 'replaced');
    const mounted = () => new Map(parseMountinfo(a.host.run(['cat', '/proc/self/mountinfo']).output).map((mount) => [mount.directory, mount.deviceNumber]));
    const [{ directory: session }] = findSessions(a.directory);
    const before = mounted();
    const old = before.get(session)!;
    assert.equal(before.get(place), old);
    const reader = spawn(a.host.prefix[0]!, [...a.host.prefix.slice(1), 'sh', '-c', `exec 3< ${join(place, 'data')}; read line; head -c 5 <&3`]);
    const answer = text(reader.stdout);
    await untilSo('the old session is in use', () => existsSync(`/proc/${reader.pid}/fd/3`));
    a.host.run(['umount', '-l', session]);
    await stage(a.client, id, staging(a, 'replaced'));
    const staged = mounted();
    assert.notEqual(staged.get(session), old);
    assert.equal(staged.get(place), old);
    await publish(a.client, id, staging(a, 'replaced'), place);
    assert.equal(mounted().get(place), staged.get(session));
    reader.stdin.end('\n');
    assert.equal(await answer, '\0\0\0\0\0');
    await leave(a, id, 'replaced');
    await deleteVolume(controller, id);
  });

  it('never deletes what is not its own at a target', async () => {
    const { volume_id: id } = await createVolume(controller, 'target');
    const place = target(a, 'precious');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'file'), 'precious');
    await refused(unpublish(a.client, id, place), status.FAILED_PRECONDITION, /precious.*nothing was deleted/);
    assert.equal(readFileSync(join(place, 'file'), 'utf8'), 'precious');
    rmSync(place, { recursive: true });
    await unpublish(a.client, id, place);
    await unpublish(a.client, id, join(place, 'no', 'parent'));
    await deleteVolume(controller, id);
  });

  it('lists page by page, whatever comes and goes between the pages', async () => {
    const page = async (token = '', limit = 2) => {
      const request = { max_entries: limit, starting_token: token };
      const { entries, next_token: next } = await unary(controller, controller.listVolumes.bind(controller), request) as
        { entries: { volume: { volume_id: string } }[]; next_token: string };
      return { ids: entries.map(({ volume }) => volume.volume_id), next };
    };
    const made: string[] = [];
    for (const name of ['page-1', 'page-2', 'page-3', 'page-4']) made.push((await createVolume(controller, name)).volume_id);
    const first = await page();
    assert.deepEqual(first.ids, made.slice(0, 2));
    await deleteVolume(controller, made[1]!);
    const added = (await createVolume(controller, 'page-5')).volume_id;
    const second = await page(first.next);
    assert.deepEqual(second.ids, made.slice(2));
    const third = await page(second.next);
    assert.deepEqual(third, { ids: [added], next: '' });
    assert.deepEqual((await page('', 0)).ids, [made[0], made[2], made[3], added]);
    await refused(page('nonsense'), status.ABORTED, /nonsense/);
    for (const id of [...made, added]) await deleteVolume(controller, id);
  });

  it('keeps the memory of a deleted volume in quarantine for a host that is silent, naming it, until that one is evicted', async () => {
    const { members } = openDirectoryState(cluster.stateDirectory, silentLog());
    const df = () => JSON.parse(execFileSync(program, ['df', device, '--json'], { encoding: 'utf8' })) as { quarantinedBytes: number; totalBytes: number };
    await untilSo('all memory is back', () => df().quarantinedBytes === 0);
    const { volume_id: id } = await createVolume(controller, 'quarantined');
    await members.register({ pool: id.split('/')[0]!, host: 'silent', bootId: 'another' });
    const before = await capacity();
    await deleteVolume(controller, id);
    assert.equal(await capacity(), before);
    assert.ok(df().quarantinedBytes >= 8 * MIB, JSON.stringify(df()));
    const tooLarge = { capacity_range: { required_bytes: df().totalBytes } };
    const refusal = () => createVolume(controller, 'large', tooLarge).then(() => 'made', ({ details }: { details: string }) => details);
    await untilSo('a refusal that names the host', async () => /deleted, not yet returned: silent may have it mapped$/.test(await refusal()));
    const evict = (...args: string[]) => execFileSync(program, ['evict', 'silent', '--state-dir', cluster.stateDirectory, ...args], { encoding: 'utf8', stdio: 'pipe' });
    assert.throws(() => evict(), /say --powered-off when it is off/);
    assert.ok(df().quarantinedBytes > 0);
    assert.match(evict('--powered-off'), /^silent is no member any more/);
    assert.throws(() => evict('--powered-off'), /silent is a member of no pool/);
    await untilSo('the memory is back', async () => await capacity() >= before + 8 * MIB && df().quarantinedBytes === 0);
  });

  it('gives way to a writer that overrules it, and comes back', async () => {
    await createVolume(controller, 'before');
    const overrule = ['--assume-stopped', '--state-dir', cluster.stateDirectory, '--host-dir', join(directory, 'operator')];
    execFileSync(program, ['mkdir', device, 'by-the-operator', ...overrule], { stdio: 'pipe' });
    await refused(createVolume(controller, 'after'), status.UNAVAILABLE, /unavailable/);
    await until(() => createVolume(controller, 'after'));
    for (const name of ['before', 'after']) await deleteVolume(controller, (await createVolume(controller, name)).volume_id);
    await refused(createVolume(controller, 'by-the-operator'), status.ALREADY_EXISTS, /did not make it/);
  });

  it('has one controller: a second one waits, and one without its lease ends', async () => {
    const state = join(directory, 'other-state');
    const otherDevice = shmFile('pool');
    execFileSync(program, ['mkfs', otherDevice, '--simulate', '64MiB', '--state-dir', state], { stdio: 'pipe' });
    const start = (name: string) => startRole(name, [], [
      program, 'controller', '--pool', `other=${otherDevice}`, '--state-dir', state, '--host-dir', join(directory, 'other-host'),
      '--node-id', 'controller', '--endpoint', `unix://${join(directory, `${name}.sock`)}`,
    ], join(directory, `${name}.log`));
    const socket = (name: string) => join(directory, `${name}.sock`);
    const first = start('first');
    await untilServing(first, socket('first'));
    const second = start('second');
    await until(() => assert.match(readFileSync(second.logFile, 'utf8'), /waiting for the lease/));
    assert.ok(!existsSync(socket('second')));
    assert.equal(await stopRole(first), undefined);
    await untilServing(second, socket('second'));
    assert.ok(statSync(socket('second')).isSocket() && !existsSync(socket('first')));
    rmSync(join(state, 'controller.lock'));
    await untilSo('the second one has ended', () => second.child.exitCode !== null);
    assert.equal(second.child.exitCode, 1);
    assert.ok(!existsSync(socket('second')));
    const killed = start('killed');
    await untilServing(killed, socket('killed'));
    killed.child.kill('SIGKILL');
    await untilSo('it is dead', () => killed.child.signalCode !== null);
    const next = start('next');
    await untilServing(next, socket('next'));
    const client = new csi.Controller(`unix://${socket('next')}`, plain);
    await createVolume(client, 'after-a-kill'); // its predecessor's lock proves it dead: no waiting for a heartbeat
    client.close();
    assert.equal(await stopRole(next), undefined);
  });
});

/** Forces the mounts of a node's sessions away: their users get errors from then on. */
function abortSessions(node: ClusterNode): void {
  for (const { directory } of findSessions(node.directory)) node.host.run(['umount', '-f', directory]);
}

/** A FUSE mount whose server is gone: every access answers ENOTCONN. */
function mountDead(node: ClusterNode, place: string): void {
  const fd = openSync('/dev/fuse', 'r+');
  const [enter, ...rest] = node.host.prefix;
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const mounted = spawnSync(enter!, [...rest, 'mount', '-i', '-t', 'fuse', '-o', options, 'dead', place],
    { stdio: ['ignore', 'ignore', 'pipe', fd], encoding: 'utf8' });
  closeSync(fd);
  assert.equal(mounted.status, 0, mounted.stderr);
}

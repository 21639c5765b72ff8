/** One directory, several users: readers beside writers, several handles, several modes of one handle. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { AccessMode } from '../../src/csi/capabilities.ts';
import { MIB } from '../../src/famfs/units.ts';
import { Cluster, type ClusterNode } from '../demo/cluster.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import {
  attach, type ControllerClient, createVolume, deleteVolume, detach, mountOf, publish, refused, RWX, stage, unpublish, unstage,
} from '../support/csi-requests.ts';
import { unary } from '../support/grpc-client.ts';

const ROX = 'MULTI_NODE_READER_ONLY';
const RWO = 'SINGLE_NODE_MULTI_WRITER';
const RWOP = 'SINGLE_NODE_SINGLE_WRITER';

describe('one directory for several users', () => {
  const directory = tempDir('sharing');
  const device = shmFile('pool');
  const cluster = new Cluster(directory, device);
  let controller: ControllerClient;
  let a: ClusterNode;
  let b: ClusterNode;

  before(async () => {
    execFileSync(program, ['mkfs', device, '--simulate', '256MiB', '--state-dir', cluster.stateDirectory], { stdio: 'pipe' });
    const own = ['--state-dir', cluster.stateDirectory, '--host-dir', join(directory, 'operator')];
    for (const path of ['models', 'models/deep']) execFileSync(program, ['mkdir', device, path, ...own], { stdio: 'pipe' });
    controller = await cluster.startController();
    a = await cluster.startNode('node-a');
    b = await cluster.startNode('node-b');
  });

  after(async () => assert.deepEqual(await cluster.stop(), []));

  const staging = (node: ClusterNode, name: string) => join(node.directory, 'staging', name);
  const target = (node: ClusterNode, name: string) => join(node.directory, 'pods', name);

  /** Attaches, stages and publishes a handle, as a pod named `name` does; answers its file. */
  async function use(node: ClusterNode, volumeId: string, name: string, mode: AccessMode, mount = {}): Promise<string> {
    const context = await attach(controller, volumeId, node.name, mode);
    await stage(node.client, volumeId, staging(node, name), mountOf(mode, mount));
    await publish(node.client, volumeId, staging(node, name), target(node, name), { capability: mountOf(mode, mount), context });
    return join(target(node, name), 'data');
  }

  /** Undoes `use`. */
  async function leave(node: ClusterNode, volumeId: string, name: string): Promise<void> {
    await unpublish(node.client, volumeId, target(node, name));
    await unstage(node.client, volumeId, staging(node, name));
    await detach(controller, volumeId, node.name);
  }

  const write = (node: ClusterNode, file: string, text: string) => node.host.run(['sh', '-c', `printf '${text}' | dd of=${file} conv=notrunc status=none`]);
  const read = (node: ClusterNode, file: string, bytes: number) => node.host.run(['head', '-c', String(bytes), file]).output;
  const mustBeReadOnly = (node: ClusterNode, file: string) => assert.match(write(node, file, 'x').problem, /Read-only file system/);
  const list = async (request: object = {}) => await unary(controller, controller.listVolumes.bind(controller), request) as
    { entries: { volume: { volume_id: string; capacity_bytes: string }; status: { published_node_ids: string[] } }[]; next_token: string };
  const publishedNodes = async () => new Map((await list()).entries.map(({ volume, status: { published_node_ids: nodes } }) => [volume.volume_id, nodes]));

  for (const writerMode of [RWX, RWO] as const) {
    it(`lets readers stand beside a ${writerMode}, on its node and on another one, whoever comes first`, async () => {
      const { volume_id: id } = await createVolume(controller, `beside-${writerMode.toLowerCase()}`, { volume_capabilities: [mountOf(writerMode)] });
      const early = await use(b, id, 'early', ROX);
      const writing = await use(a, id, 'writer', writerMode);
      const late = await use(a, `${id}//late`, 'late', ROX);
      assert.equal(write(a, writing, 'by the writer').code, 0);
      for (const [node, file] of [[b, early], [a, late]] as const) {
        assert.equal(read(node, file, 13), 'by the writer');
        mustBeReadOnly(node, file);
      }
      await refused(attach(controller, `${id}//second`, 'node-b', RWO), status.FAILED_PRECONDITION, /published on node node-a/);
      await leave(a, `${id}//late`, 'late');
      assert.equal(write(a, writing, 'still writing').code, 0);
      assert.equal(read(b, early, 13), 'still writing');
      await leave(a, id, 'writer');
      await leave(b, id, 'early');
      await deleteVolume(controller, id);
    });
  }

  it('lets nobody stand beside a ReadWriteOncePod volume, and it beside nobody', async () => {
    const { volume_id: id } = await createVolume(controller, 'alone', { volume_capabilities: [mountOf(RWOP)] });
    await attach(controller, id, 'node-a', RWOP);
    for (const node of ['node-a', 'node-b']) {
      await refused(attach(controller, `${id}//reader`, node, ROX), status.FAILED_PRECONDITION, /node-a as SINGLE_NODE_SINGLE_WRITER/);
    }
    await detach(controller, id, 'node-a');
    await attach(controller, `${id}//reader`, 'node-b', ROX);
    await refused(attach(controller, id, 'node-a', RWOP), status.FAILED_PRECONDITION, /\/\/reader is published on node node-b/);
    await detach(controller, `${id}//reader`, 'node-b');
    // Where nothing is attached, the node is the last one that can tell.
    const writing = mountOf(RWOP);
    for (const handle of [id, `${id}//other`]) {
      const capability = handle === id ? writing : mountOf(ROX);
      await stage(a.client, handle, staging(a, handle.slice(-5)), capability);
    }
    await publish(a.client, id, staging(a, id.slice(-5)), target(a, 'alone'), { capability: writing });
    const other = () => publish(a.client, `${id}//other`, staging(a, 'other'), target(a, 'other'), { capability: mountOf(ROX) });
    await refused(other(), status.FAILED_PRECONDITION, /alone as SINGLE_NODE_SINGLE_WRITER, .* allows one target/);
    await unpublish(a.client, id, target(a, 'alone'));
    await other();
    await refused(publish(a.client, id, staging(a, id.slice(-5)), target(a, 'alone'), { capability: writing }), status.FAILED_PRECONDITION, /allows one target/);
    await unpublish(a.client, `${id}//other`, target(a, 'other'));
    for (const handle of [id, `${id}//other`]) await unstage(a.client, handle, staging(a, handle.slice(-5)));
    await deleteVolume(controller, id);
  });

  it('shows one directory by several handles on one node, each mounted, listed, told of and taken off by itself', async () => {
    const { volume_id: id } = await createVolume(controller, 'several');
    const writing = await use(a, id, 'several', RWX);
    const team = [`${id}//team-a`, `${id}//team-b`] as const;
    const files = [await use(a, team[0], 'team-a', ROX), await use(a, team[1], 'team-b', ROX)] as const;
    assert.equal(write(a, writing, 'for all').code, 0);
    for (const file of files) {
      assert.equal(read(a, file, 7), 'for all');
      mustBeReadOnly(a, file);
    }
    const published = await publishedNodes();
    for (const handle of [id, ...team]) assert.deepEqual(published.get(handle), ['node-a'], handle);
    const { usage } = await unary(a.client, a.client.nodeGetVolumeStats.bind(a.client), { volume_id: team[0], volume_path: target(a, 'team-a') }) as { usage: { total: string }[] };
    assert.equal(usage[0]!.total, String(8 * MIB));
    const validate = (handle: string) => unary(controller, controller.validateVolumeCapabilities.bind(controller), { volume_id: handle, volume_capabilities: [mountOf(ROX)] });
    assert.ok((await validate(team[0]) as { confirmed: unknown }).confirmed);
    await refused(unary(a.client, a.client.nodeGetVolumeStats.bind(a.client), { volume_id: team[0], volume_path: target(a, 'team-b') }), status.NOT_FOUND, /neither staged nor mounted at/);
    // Nothing of one handle goes by another one.
    for (const other of [id, team[1]]) {
      await refused(unpublish(a.client, other, target(a, 'team-a')), status.FAILED_PRECONDITION, /is where \S+team-a is published/);
      await refused(unstage(a.client, other, staging(a, 'team-a')), status.FAILED_PRECONDITION, /is where \S+team-a is staged/);
      await refused(publish(a.client, other, staging(a, other === id ? 'several' : 'team-b'), target(a, 'team-a')), status.ALREADY_EXISTS, /is where \S+team-a is published/);
      await refused(stage(a.client, other, staging(a, 'team-a')), status.ALREADY_EXISTS, /is staged at|is where \S+team-a is staged/);
    }
    await deleteVolume(controller, team[0]); // another name of it: nothing to delete
    assert.equal(read(a, files[0], 7), 'for all');
    await leave(a, id, 'several');
    await refused(deleteVolume(controller, id), status.FAILED_PRECONDITION, /published on node-a as \S+team-a, node-a as \S+team-b: unpublish it first/);
    await leave(a, team[0], 'team-a');
    await refused(deleteVolume(controller, id), status.FAILED_PRECONDITION, /team-b/);
    assert.equal(read(a, files[1], 7), 'for all');
    await leave(a, team[1], 'team-b');
    await deleteVolume(controller, id);
    await refused(attach(controller, team[0], 'node-a', ROX), status.NOT_FOUND, /no volume/);
    assert.ok(!existsSync(target(a, 'team-b')));
  });

  it('takes one handle on one node in several modes, whichever was staged first', async () => {
    const { volume_id: id } = await createVolume(controller, 'modes');
    for (const [first, second] of [[RWX, ROX], [ROX, RWX], [RWO, ROX]] as const) {
      await stage(a.client, id, staging(a, 'modes'), mountOf(first));
      await stage(a.client, id, staging(a, 'modes'), mountOf(second));
      for (const mode of [first, second]) await publish(a.client, id, staging(a, 'modes'), target(a, mode), { capability: mountOf(mode) });
      const [writer, reader] = first === ROX ? [second, first] : [first, second];
      assert.equal(write(a, join(target(a, writer), 'data'), 'modes').code, 0, `${first}, ${second}`);
      assert.equal(read(a, join(target(a, reader), 'data'), 5), 'modes');
      mustBeReadOnly(a, join(target(a, reader), 'data'));
      await publish(a.client, id, staging(a, 'modes'), target(a, reader), { capability: mountOf(reader) });
      await refused(publish(a.client, id, staging(a, 'modes'), target(a, reader), { capability: mountOf(writer) }), status.ALREADY_EXISTS, /ro/);
      await refused(stage(a.client, id, staging(a, 'modes'), mountOf(RWOP)), status.ALREADY_EXISTS, /staged as/);
      await refused(publish(a.client, id, staging(a, 'modes'), target(a, 'rwop'), { capability: mountOf(RWOP) }), status.FAILED_PRECONDITION, /staged as/);
      for (const mode of [first, second]) await unpublish(a.client, id, target(a, mode));
      await unstage(a.client, id, staging(a, 'modes'));
    }
    await deleteVolume(controller, id);
  });

  it('lists directories that the driver did not make while they are attached, also in pages', async () => {
    const { volume_id: id } = await createVolume(controller, 'listed');
    const pool = id.split('/')[0]!;
    const handles = [`${pool}/models`, `${pool}/models/deep`, `${pool}/models//team-b`];
    for (const handle of handles) for (const node of ['node-a', 'node-b']) await attach(controller, handle, node, ROX);
    const published = await publishedNodes();
    for (const handle of handles) assert.deepEqual(published.get(handle), ['node-a', 'node-b']);
    const paged: string[] = [];
    for (let token = ''; paged.length === 0 || token !== '';) {
      const { entries, next_token: next } = await list({ max_entries: 1, starting_token: token });
      paged.push(...entries.map(({ volume }) => volume.volume_id));
      token = next;
    }
    assert.deepEqual(paged, [id, `${pool}/models`, `${pool}/models//team-b`, `${pool}/models/deep`]);
    await refused(deleteVolume(controller, `${pool}/models`), status.FAILED_PRECONDITION, /not made by this driver/);
    await deleteVolume(controller, `${pool}/models//team-b`);
    for (const handle of handles) await detach(controller, handle, '');
    assert.deepEqual([...(await publishedNodes()).keys()], [id]);
    await deleteVolume(controller, id);
  });

  it('refuses bad suffixes like any other bad handle', async () => {
    const { volume_id: id } = await createVolume(controller, 'bad');
    for (const suffix of ['//', '//..', '//a//b', '//a/b', '//a b', '//a\n', '///a', `//${'x'.repeat(100)}`]) {
      const handle = `${id}${suffix}`;
      await refused(attach(controller, handle, 'node-a', ROX), status.NOT_FOUND, /there is no volume/);
      await refused(stage(a.client, handle, staging(a, 'bad'), mountOf(ROX)), status.NOT_FOUND, /is no volume of this driver/);
      await deleteVolume(controller, handle);
      await detach(controller, handle, 'node-a');
    }
    await deleteVolume(controller, id);
  });

  describe('with groups', () => {
    // An ordinary user's namespace knows no ids but its own, and so none that is another one.
    const isWide = readFileSync('/proc/self/gid_map', 'utf8').includes('4294967295');
    const group = (gid: number) => ({ volume_mount_group: String(gid) });
    const shown = (node: ClusterNode, file: string) => node.host.run(['stat', '-c', '%g:%a', file]).output.trim();

    it('lets readers with different groups stand on one node, and a writer with a third one', async function () {
      if (!isWide) this.skip();
      const { volume_id: id } = await createVolume(controller, 'groups', { parameters: { mode: '0644', gid: '0' } });
      const one = await use(a, `${id}//one`, 'one', ROX, group(2000));
      const two = await use(a, `${id}//two`, 'two', ROX, group(3000));
      assert.equal(shown(a, one), '0:644');
      const writing = await use(a, id, 'groups', RWX, group(4000));
      assert.equal(shown(a, writing), '4000:664');
      // Nor do two pods of one volume that mount it for reading, whatever its mode; the first one staged it.
      const capability = mountOf(RWX, group(5000));
      await publish(a.client, id, staging(a, 'groups'), target(a, 'groups-2'), { capability, readonly: true });
      await refused(publish(a.client, id, staging(a, 'groups'), target(a, 'groups-3'), { capability }), status.FAILED_PRECONDITION, /group 4000 .*5000/);
      await unpublish(a.client, id, target(a, 'groups-2'));
      await leave(a, id, 'groups');
      assert.equal(shown(a, two), '0:644');
      await leave(a, `${id}//one`, 'one');
      await leave(a, `${id}//two`, 'two');
      await deleteVolume(controller, id);
    });

    it('needs one group for what not everybody may read, by the modes of the node', async function () {
      if (!isWide) this.skip();
      const { volume_id: id } = await createVolume(controller, 'private', { parameters: { mode: '0644', gid: '0' } });
      const writing = await use(a, id, 'private', RWX);
      assert.equal(a.host.run(['chmod', '640', writing]).code, 0);
      const one = await use(a, `${id}//one`, 'one', ROX, group(2000));
      assert.equal(shown(a, one), '2000:660');
      await refused(use(a, `${id}//two`, 'two', ROX, group(3000)), status.FAILED_PRECONDITION, /\/\/two is presented with group 2000 on this host, so not with 3000/);
      const same = await use(a, `${id}//same`, 'same', ROX, group(2000));
      await leave(a, `${id}//one`, 'one');
      assert.equal(shown(a, same), '2000:660', 'another handle has it still');
      await leave(a, `${id}//same`, 'same');
      assert.equal(shown(a, writing), '0:640');
      await detach(controller, `${id}//two`, 'node-a');
      await leave(a, id, 'private');
      await deleteVolume(controller, id);
    });
  });
});

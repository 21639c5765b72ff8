/** What the demo shows, step by step; each step checks what it says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { status, type ServiceError } from '@grpc/grpc-js';
import type { VolumeCapability } from '../../src/generated/csi/v1/VolumeCapability.ts';
import { program } from '../harness/paths.ts';
import { unary } from '../support/grpc-client.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import { drawMap } from './map.ts';
import { mebibytes, say, step } from './narrator.ts';

const poolSize = 256 << 20;
const volumeSize = 32 << 20;
/** Somewhere in the middle of the volume, on no boundary. */
const offset = 12_345_678;
const message = 'Hello from the first host, through shared memory.';
const application = fileURLToPath(new URL('./application.ts', import.meta.url));

/** What a pod asks for: a mounted volume that several hosts may write. */
const capability: VolumeCapability = {
  mount: {},
  access_mode: { mode: 'MULTI_NODE_MULTI_WRITER' },
};

/** Runs a command of ours that must succeed; returns what it printed. */
function famfs(...args: string[]): string {
  const result = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(result.status, 0, `famfs-csi ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

/** Makes the pool before anything runs on it. */
export async function makePool(cluster: Cluster): Promise<void> {
  await step('A pool is made in shared memory', () => {
    const { device } = cluster;
    mkdirSync(dirname(device), { recursive: true });
    famfs('mkfs', device, '--simulate', String(poolSize), '--state-dir', cluster.stateDirectory);
    say(`${device} plays ${mebibytes(poolSize)} of memory that all hosts can reach.`);
    say('Its map, one sign for each allocation unit of 2 MiB:');
    say(drawMap(device));
  });
}

/** From an empty pool to a deleted volume. */
export async function tellStory(cluster: Cluster): Promise<void> {
  const { device } = cluster;
  let controller!: Awaited<ReturnType<Cluster['startController']>>;
  const nodes: ClusterNode[] = [];
  let volumeId = '';
  let context: { [key: string]: string } = {};

  await step('A controller and two hosts start', async () => {
    controller = await cluster.startController();
    for (const name of ['host-a', 'host-b']) nodes.push(await cluster.startNode(name));
    const info = await Promise.all(
      nodes.map(({ client }) => unary(client, client.NodeGetInfo, {})),
    );
    assert.deepEqual(info.map(({ node_id: id }) => id), ['host-a', 'host-b']);
    assert.deepEqual(info[0].accessible_topology, info[1].accessible_topology);
    const [segment] = Object.keys(info[0].accessible_topology?.segments ?? {});
    say(`Both hosts say that they reach the same pool: ${segment}.`);
  });
  const [a, b] = nodes;

  await step('A volume is asked for, as the cluster does for a claim', async () => {
    const { volume } = await unary(controller, controller.CreateVolume, {
      name: 'pvc-demo',
      capacity_range: { required_bytes: volumeSize },
      volume_capabilities: [capability],
    });
    assert.equal(volume?.capacity_bytes, String(volumeSize));
    volumeId = volume.volume_id;
    context = volume.volume_context;
    say(`The controller wrote it into the pool's log: ${volumeId}, ${mebibytes(volumeSize)}.`);
    say(drawMap(device));
  });

  await step('The volume is published on both hosts, on the second for reading only', async () => {
    for (const node of nodes) await publish(node, node === b);
    for (const { host, name } of nodes) {
      const seen = host.run(['stat', '-c', '%n, %s bytes', file(name)]);
      assert.match(seen.output, new RegExp(`, ${volumeSize} bytes`), seen.problem);
    }
    assert.equal(a.host.run(['stat', file(b.name)]).code, 1, 'a host must not see the mounts of another');
    say(`Each host has its own mount of the same memory: the file "data", ${mebibytes(volumeSize)}.`);
  });

  await step('An application on the first host writes into its memory', () => {
    const write = a.host.run([process.execPath, application, 'write', file(a.name), String(offset), message]);
    assert.equal(write.code, 0, write.problem);
    say(`mmap, then "${message}" at byte ${offset}.`);
  });

  await step('An application on the second host reads the same bytes', () => {
    const length = String(Buffer.byteLength(message));
    const read = b.host.run([process.execPath, application, 'read', file(b.name), String(offset), length]);
    assert.equal(read.output, message, read.problem);
    say(`mmap on the second host: "${read.output}"`);
    say('Nothing was sent from host to host: the bytes are in the memory that both reach.');
  });

  await step('What is forbidden is refused', () => {
    const refusals: [ClusterNode, string, string[], RegExp][] = [
      [b, 'a write where the volume is read-only', overwrite(file(b.name)), /Read-only file system/],
      [a, 'a shorter file (sizes are fixed)', ['truncate', '-s', '1', file(a.name)], /Invalid argument/],
      [a, 'a new file (only the controller allocates)', ['touch', `${mountPoint(a.name)}/new`], /not permitted|Read-only/],
    ];
    for (const [node, what, command, expected] of refusals) {
      const { code, problem } = node.host.run(command);
      assert.notEqual(code, 0, `${what} was allowed`);
      assert.match(problem, expected);
      say(`${node.name} tries ${what}: ${problem.split(': ').at(-1)}.`);
    }
  });

  await step('The volume cannot be deleted while hosts use it', async () => {
    const refused = await unary(controller, controller.DeleteVolume, { volume_id: volumeId }).then(
      () => assert.fail('an attached volume was deleted'),
      (error: ServiceError) => error,
    );
    assert.equal(refused.code, status.FAILED_PRECONDITION, refused.message);
    say(refused.details);
  });

  await step('The hosts give it back, and it is deleted', async () => {
    for (const node of nodes) await unpublish(node);
    await unary(controller, controller.DeleteVolume, { volume_id: volumeId });
    await unary(controller, controller.DeleteVolume, { volume_id: volumeId }); // repeating is no error
    const { entries } = await unary(controller, controller.ListVolumes, {});
    assert.deepEqual(entries, []);
    say('Its memory is in quarantine: no file has it, and nothing else gets it yet.');
    say(drawMap(device));
  });

  await step('The pool is examined', () => {
    famfs('fsck', device);
    say('fsck finds no damage.');
  });

  function staging(host: string): string {
    return join(cluster.directory, host, 'staging');
  }
  function mountPoint(host: string): string {
    return join(cluster.directory, host, 'pod', 'volume');
  }
  function file(host: string): string {
    return join(mountPoint(host), 'data');
  }

  async function publish({ name, client }: ClusterNode, readonly: boolean): Promise<void> {
    const { publish_context } = await unary(controller, controller.ControllerPublishVolume, {
      volume_id: volumeId,
      node_id: name,
      volume_capability: capability,
      volume_context: context,
      readonly,
    });
    const request = {
      volume_id: volumeId,
      publish_context,
      volume_context: context,
      staging_target_path: staging(name),
      volume_capability: capability,
    };
    mkdirSync(staging(name), { recursive: true });
    mkdirSync(dirname(mountPoint(name)), { recursive: true });
    await unary(client, client.NodeStageVolume, request);
    await unary(client, client.NodePublishVolume, { ...request, target_path: mountPoint(name), readonly });
  }

  async function unpublish({ name, client }: ClusterNode): Promise<void> {
    await unary(client, client.NodeUnpublishVolume, { volume_id: volumeId, target_path: mountPoint(name) });
    await unary(client, client.NodeUnstageVolume, { volume_id: volumeId, staging_target_path: staging(name) });
    await unary(controller, controller.ControllerUnpublishVolume, { volume_id: volumeId, node_id: name });
  }
}

function overwrite(path: string): string[] {
  return ['dd', 'if=/dev/zero', `of=${path}`, 'bs=4096', 'count=1', 'conv=notrunc', 'status=none'];
}

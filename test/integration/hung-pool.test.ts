/** A node with two pools, of which one answers nothing any more. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { status, type ServiceError } from '@grpc/grpc-js';
import { findSessions } from '../../src/famfs/fuse/session/session.ts';
import { MIB } from '../../src/famfs/units.ts';
import { Cluster, type ClusterNode } from '../demo/cluster.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { attach, type ControllerClient, createVolume, publish, refused, stage, unpublish, unstage } from '../support/csi-requests.ts';
import { unary } from '../support/grpc-client.ts';
import { until } from '../support/until.ts';

const ROUNDS = 15;
const PAUSE_MS = 1000;
/** What a call of the healthy pool may take in any case, in milliseconds: far less than a call that waits for the other pool. */
const FLOOR_MS = 2000;

describe('a pool whose session hangs', () => {
  const directory = tempDir('hung');
  const cluster = new Cluster(directory, shmFile('healthy'), shmFile('hung'));
  let controller: ControllerClient;
  let node: ClusterNode;
  let healthy: string;
  let hung: string;
  let child: number;

  const staging = (name: string) => join(node.directory, 'staging', name);
  const target = (name: string) => join(node.directory, 'pods', name);
  const statistics = (volumeId: string, place: string) =>
    unary(node.client, node.client.nodeGetVolumeStats.bind(node.client), { volume_id: volumeId, volume_path: place });

  before(async () => {
    for (const device of [cluster.device, cluster.second!]) {
      execFileSync(program, ['mkfs', device, '--simulate', '64MiB', '--state-dir', cluster.stateDirectory], { stdio: 'pipe' });
    }
    controller = await cluster.startController();
    node = await cluster.startNode('node');
    const make = async (name: string, pool: string) => {
      const { volume_id: id } = await createVolume(controller, name, { parameters: { pool } });
      await attach(controller, id, 'node');
      return id;
    };
    [healthy, hung] = [await make('healthy', 'demo'), await make('hung', 'second')];
    for (const [name, id] of [['healthy', healthy], ['hung', hung]] as const) {
      await stage(node.client, id, staging(name));
      await publish(node.client, id, staging(name), target(name));
    }
    child = findSessions(node.directory).find(({ poolUuid }) => hung.startsWith(poolUuid))!.record.child.pid;
  });

  after(async () => assert.deepEqual(await cluster.stop(), []));

  /** The median time of each kind of call about the healthy pool, in milliseconds. */
  async function medians(): Promise<Map<string, number>> {
    const calls: readonly [string, () => Promise<unknown>][] = [
      ['statistics', () => statistics(healthy, target('healthy'))],
      ['publish', () => publish(node.client, healthy, staging('healthy'), target('more'))],
      ['publish again', () => publish(node.client, healthy, staging('healthy'), target('healthy'))],
      ['unpublish', () => unpublish(node.client, healthy, target('more'))],
      ['stage again', () => stage(node.client, healthy, staging('healthy'))],
    ];
    const times = new Map<string, number[]>(calls.map(([kind]) => [kind, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [kind, call] of calls) {
        const began = performance.now();
        await call();
        times.get(kind)!.push(performance.now() - began);
      }
    }
    return new Map([...times].map(([kind, all]) => [kind, all.sort((a, b) => a - b)[ROUNDS >> 1]!]));
  }

  it('keeps no call about the healthy pool of its node waiting, and is unpublished and unstaged', async () => {
    const quiet = await medians();
    let isOver = false;
    process.kill(child, 'SIGSTOP');
    try {
      // Eight statistics and a publish of the pool that hangs, again and again; with pauses, since answers cost processor time, too.
      const keepAsking = async (call: () => Promise<unknown>) => {
        const codes = new Set<string>();
        while (!isOver) {
          codes.add(await call().then(() => 'OK', ({ code }: ServiceError) => status[code]));
          await sleep(PAUSE_MS);
        }
        return [...codes];
      };
      const asking = [
        ...Array.from({ length: 8 }, () => keepAsking(() => statistics(hung, target('hung')))),
        keepAsking(() => publish(node.client, hung, staging('hung'), target('never'))),
      ];
      const besides = await medians();
      isOver = true;
      for (const [kind, ms] of besides) {
        const limitMs = Math.max(FLOOR_MS, 2 * quiet.get(kind)!);
        assert.ok(ms <= limitMs, `${kind} takes ${ms} ms beside a pool that hangs, and ${quiet.get(kind)!} ms in quiet`);
      }
      const answers = await Promise.all(asking);
      assert.deepEqual(answers, [...Array.from({ length: 8 }, () => ['OK']), ['UNAVAILABLE']]);
      const { usage } = await statistics(hung, target('hung')) as { usage: { total: string }[] };
      assert.deepEqual(usage.map(({ total }) => total), [String(8 * MIB), '1']);
      await refused(stage(node.client, hung, staging('hung')), status.UNAVAILABLE, /does not answer/);

      await unpublish(node.client, hung, target('hung'));
      assert.ok(!existsSync(target('hung')));
      await unstage(node.client, hung, staging('hung'));
      assert.deepEqual(node.host.mountsBelow(directory).filter((place) => place.endsWith('/hung')), []);
    } finally {
      isOver = true;
      process.kill(child, 'SIGCONT');
    }
    await until(() => stage(node.client, hung, staging('hung')));
    await publish(node.client, hung, staging('hung'), target('hung'));
    assert.equal(node.host.run(['stat', '-c', '%s', join(target('hung'), 'data')]).output.trim(), String(8 * MIB));
    for (const [name, id] of [['healthy', healthy], ['hung', hung]] as const) {
      await unpublish(node.client, id, target(name));
      await unstage(node.client, id, staging(name));
    }
  });
});

/** Each role goes on when it has had no descriptor left for a while. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status, type ServiceError } from '@grpc/grpc-js';
import { csi } from '../../src/csi/server/protocols.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { MIB } from '../../src/famfs/units.ts';
import type { ListVolumesResponse__Output } from '../../src/generated/csi/v1/ListVolumesResponse.ts';
import { Host, type Role, startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import {
  attach, type ControllerClient, createVolume, deleteVolume, detach, type NodeClient, publish, stage, unpublish, unstage,
} from '../support/csi-requests.ts';
import { Exhaustion } from '../support/descriptors.ts';
import { plain, unary } from '../support/grpc-client.ts';
import { askRole, freePort } from '../support/http-role.ts';
import { until } from '../support/until.ts';

/** Descriptors that each role may have. */
const FILES_MAX = 100;

describe('a role that has no descriptor left', () => {
  const directory = tempDir('descriptors');
  const state = join(directory, 'state');
  const hostDirectory = join(directory, 'host');
  const device = shmFile('pool');
  const poolsFile = join(directory, 'pools.json');
  const socket = (name: string) => join(directory, `${name}.sock`);
  const roles = new Map<string, { role: Role; port: number }>();
  const volumes = new Map<string, string>();
  let host: Host;
  let controller: ControllerClient;
  let node: NodeClient;

  async function start(name: string, ...more: string[]): Promise<void> {
    const port = await freePort();
    const role = startRole(name, [...host.prefix, 'prlimit', `--nofile=${FILES_MAX}:${FILES_MAX}`], [
      program, name, '--pools-file', poolsFile, '--state-dir', state, '--host-dir', hostDirectory, '--node-id', 'here',
      '--fused-endpoint', `unix://${socket('fused')}`, '--http-port', String(port), ...more,
    ], join(directory, `${name}.log`));
    roles.set(name, { role, port });
    await untilServing(role, socket(name));
  }

  const logOf = (name: string) => readFileSync(join(directory, `${name}.log`), 'utf8');
  const below = (place: string) => (existsSync(place) ? readdirSync(place).sort() : []);
  const codeOf = (call: Promise<unknown>) => call.then(() => status.OK, ({ code }: ServiceError) => code);
  const view = () => {
    const pool = Pool.open(sourceOf(device), { writable: false });
    try {
      return pool.usage();
    } finally {
      pool.close();
    }
  };

  /** Does something while a role has no descriptor; it has to be there afterwards, and to work. */
  async function without(name: string, work: () => Promise<void>): Promise<void> {
    const { role, port } = roles.get(name)!;
    const pid = role.child.pid!;
    const exhaustion = await Exhaustion.of(pid, socket(name));
    try {
      await work();
      assert.ok(exhaustion.isComplete, 'it had one left');
    } finally {
      exhaustion.release();
    }
    await until(async () => assert.equal((await askRole(port, '/healthz')).code, 200), {
      hopeless: () => (role.child.exitCode === null && role.child.signalCode === null ? undefined : `${name} has ended:\n${logOf(name)}`),
    });
    assert.equal((await askRole(port, '/metrics')).code, 200);
  }

  const said = (name: string, ...lines: RegExp[]) => until(() => {
    for (const line of lines) assert.match(logOf(name), line);
  }, { hopeless: () => (roles.get(name)!.role.child.exitCode === null ? undefined : `${name} has ended`) });

  before(async () => {
    execFileSync(program, ['mkfs', device, '--simulate', '128MiB', '--state-dir', state, '--host-dir', hostDirectory], { stdio: 'pipe' });
    writeFileSync(poolsFile, JSON.stringify({ pools: [{ name: 'fast', device }] }));
    host = await Host.boot('here');
    await start('controller', '--endpoint', `unix://${socket('controller')}`, '--scrub-rate', '0');
    await start('fused');
    await start('node', '--endpoint', `unix://${socket('node')}`);
    controller = new csi.Controller(`unix://${socket('controller')}`, plain);
    node = new csi.Node(`unix://${socket('node')}`, plain);
    for (const name of ['kept', 'deleted']) volumes.set(name, (await createVolume(controller, name, { capacity_range: { required_bytes: 4 * MIB } })).volume_id);
    mkdirSync(join(directory, 'staging'));
    await stage(node, volumes.get('kept')!, join(directory, 'staging'));
    await until(() => assert.match(logOf('node'), /"held"/));
  });

  after(async () => {
    controller.close();
    node.close();
    const problems = [];
    for (const { role } of [...roles.values()].reverse()) problems.push(await stopRole(role));
    host.shutDown();
    assert.deepEqual(problems.filter((problem) => problem !== undefined), []);
  });

  it('goes on as the data plane, and lets go of nothing that it uses', async () => {
    const [members, sessions] = [join(state, 'members'), join(hostDirectory, 'sessions')].map((place) => [place, below(place)] as const);
    assert.equal(members[1].length, 1);
    await without('fused', async () => {
      await deleteVolume(controller, volumes.get('deleted')!);
      await said('fused', /members not told.*EMFILE/, /pools file not taken.*EMFILE/);
      for (const [place, files] of [members, sessions]) assert.deepEqual(below(place), files);
      assert.equal(view().quarantinedBytes, 4 * MIB, 'not acknowledged');
    });
    await until(() => assert.equal(view().quarantinedBytes, 0));
    for (const [place, files] of [members, sessions]) assert.deepEqual(below(place), files);
  });

  it('goes on as the node plugin, and keeps the sessions that it holds', async () => {
    const target = join(directory, 'target');
    await without('node', async () => {
      assert.notEqual(await codeOf(publish(node, volumes.get('kept')!, join(directory, 'staging'), target)), status.OK);
      await said('node', /to be tried again.*EMFILE/);
    });
    const { port } = roles.get('node')!;
    assert.match((await askRole(port, '/metrics')).text, /^famfs_node_held_sessions 1$/m);
    await publish(node, volumes.get('kept')!, join(directory, 'staging'), target);
    await unpublish(node, volumes.get('kept')!, target);
    await unstage(node, volumes.get('kept')!, join(directory, 'staging'));
  });

  it('goes on as the controller, with its lease and its claim', async () => {
    const list = () => unary(controller, controller.listVolumes.bind(controller), {}) as Promise<ListVolumesResponse__Output>;
    await attach(controller, volumes.get('kept')!, 'here');
    await without('controller', async () => {
      await createVolume(controller, 'meanwhile', { capacity_range: { required_bytes: 4 * MIB } });
      assert.equal(await codeOf(deleteVolume(controller, volumes.get('kept')!)), status.INTERNAL);
      assert.equal(await codeOf(list()), status.INTERNAL);
    });
    assert.match((await askRole(roles.get('controller')!.port, '/metrics')).text, /^famfs_leader 1$/m);
    assert.deepEqual((await list()).entries.map(({ volume }) => volume!.volume_id.split('/')[1]), ['kept', 'meanwhile']);
    await detach(controller, volumes.get('kept')!, 'here');
    await deleteVolume(controller, volumes.get('kept')!);
    await until(() => assert.equal(view().quarantinedBytes, 0));
    assert.doesNotMatch(logOf('controller'), /claim lost/);
  });
});

/** What controllers tell of themselves and their pools over HTTP: the leader, and one that stands by. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { csi } from '../../src/csi/server/protocols.ts';
import { type Role, startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { createVolume, deleteVolume } from '../support/csi-requests.ts';
import { plain } from '../support/grpc-client.ts';
import { askRole, freePort } from '../support/http-role.ts';
import { until } from '../support/until.ts';

describe('a controller and its standby', () => {
  const directory = tempDir('controllers');
  const state = join(directory, 'state');
  const device = shmFile('pool');
  const socket = (name: string) => join(directory, `${name}.sock`);
  const ports = new Map<string, number>();
  const roles = new Map<string, Role>();

  async function start(name: string): Promise<void> {
    ports.set(name, await freePort());
    roles.set(name, startRole(name, [], [
      program, 'controller', '--pool', `fast=${device}`, '--pool', 'gone=/nowhere', '--state-dir', state, '--host-dir', join(directory, 'host'),
      '--node-id', name, '--endpoint', `unix://${socket(name)}`, '--http-port', String(ports.get(name)),
      '--scrub-rate', '2MiB', // slow enough to see
    ], join(directory, `${name}.log`)));
  }

  /** The value of a metric of a controller, by name and labels. */
  async function metric(name: string, series: string): Promise<number> {
    const { text } = await askRole(ports.get(name)!, '/metrics');
    return Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.split(' ')[1]);
  }

  before(async () => {
    execFileSync(program, ['mkfs', device, '--simulate', '128MiB', '--state-dir', state], { stdio: 'pipe' });
    await start('one');
    await untilServing(roles.get('one')!, socket('one'));
    await start('two');
  });

  after(async () => {
    const problems = await Promise.all([...roles.values()].map(stopRole));
    assert.deepEqual(problems.filter((problem) => problem !== undefined), []);
  });

  it('are alive and ready both, and one of them leads', async () => {
    for (const name of ['one', 'two']) {
      await until(async () => assert.equal((await askRole(ports.get(name)!, '/healthz')).code, 200));
      assert.equal((await askRole(ports.get(name)!, '/readyz')).code, 200, name);
    }
    assert.deepEqual([await metric('one', 'famfs_leader'), await metric('two', 'famfs_leader')], [1, 0]);
    assert.doesNotMatch((await askRole(ports.get('two')!, '/metrics')).text, /pool="fast"/);
  });

  it('tells what a pool has, and which pool is not to be had', async () => {
    const bytes = async () => Object.fromEntries(await Promise.all(['used', 'free', 'quarantined', 'largest_allocatable'].map(
      async (what) => [what, await metric('one', `famfs_pool_bytes{pool="fast",state="${what}"}`)] as const)));
    const slots = () => metric('one', 'famfs_pool_slots{pool="fast",state="used"}');
    const [before, slotsBefore] = [await bytes(), await slots()];
    const client = new csi.Controller(`unix://${socket('one')}`, plain);
    try {
      const { volume_id: id, capacity_bytes: size } = await createVolume(client, 'one', { parameters: { pool: 'fast' } });
      await until(async () => assert.deepEqual(await bytes(), {
        used: before['used'] + Number(size), free: before['free'] - Number(size), quarantined: 0,
        largest_allocatable: before['largest_allocatable'] - Number(size),
      }));
      assert.equal(await slots(), slotsBefore + 2);
      await deleteVolume(client, id);
      await until(async () => assert.equal((await bytes())['quarantined'], Number(size)));
    } finally {
      client.close();
    }
    assert.equal(await metric('one', 'famfs_pool_health{pool="fast",state="ok"}'), 1);
    assert.equal(await metric('one', 'famfs_pool_health{pool="gone",state="unavailable"}'), 1);
    assert.equal(await metric('one', 'famfs_csi_call_seconds_count{method="CreateVolume",code="OK"}'), 1);
  });

  it('leads when the other has ended', async () => {
    assert.equal(await stopRole(roles.get('one')!), undefined);
    await until(async () => assert.equal(await metric('two', 'famfs_leader'), 1));
    await until(async () => assert.equal(await metric('two', 'famfs_pool_health{pool="fast",state="ok"}'), 1));
    assert.ok(await metric('two', 'famfs_pool_bytes{pool="fast",state="free"}') > 0);
  });
});

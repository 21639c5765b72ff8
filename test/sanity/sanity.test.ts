import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ensurePrograms } from '../cluster/programs.ts';
import { type Role, startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { judgeChecks } from './judge.ts';
import { type Check, runSanity } from './run-sanity.ts';

describe('csi-sanity v5.4.0', function () {
  this.timeout(12 * 60_000);
  let sanity: string;

  before(async () => { sanity = join(await ensurePrograms(['csi-sanity']), 'csi-sanity'); });

  it('passes on two sockets, controller and node in processes of their own', async () => {
    await judge('two sockets', (place) => [
      { role: 'controller', socket: place.controller, endpoint: place.controller },
      { role: 'fused', socket: place.fused, endpoint: place.node },
      { role: 'node', socket: place.node, endpoint: place.node },
    ]);
  });

  it('passes on one socket, all roles in one process', async () => {
    await judge('one socket', (place) => [{ role: 'all', socket: place.node, endpoint: place.node }]);
  });

  async function judge(title: string, roles: (place: Place) => Starting[]): Promise<void> {
    const place = newPlace();
    const starting = roles(place);
    const running: Role[] = [];
    let checks: Check[] = [];
    try {
      for (const { role, socket, endpoint } of starting) running.push(await start(place, role, socket, endpoint));
      const controller = starting[0]!.endpoint;
      checks = await runSanity(sanity, { endpoint: place.node, controllerEndpoint: controller, directory: place.directory });
    } finally {
      const problems: string[] = [];
      for (const role of running.reverse()) problems.push(await stopRole(role) ?? '');
      assert.equal(problems.join(''), '');
    }
    judgeChecks(title, checks);
  }
});

interface Place {
  readonly directory: string;
  readonly device: string;
  readonly controller: string;
  readonly node: string;
  readonly fused: string;
}

interface Starting {
  readonly role: string;
  /** Appears when the role serves. */
  readonly socket: string;
  readonly endpoint: string;
}

function newPlace(): Place {
  const directory = tempDir('sanity');
  const device = shmFile('pool');
  execFileSync(program, ['mkfs', device, '--simulate', '2GiB', '--state-dir', join(directory, 'state')], { stdio: 'pipe' });
  const socket = (name: string) => join(directory, `${name}.sock`);
  return { directory, device, controller: socket('controller'), node: socket('node'), fused: socket('fused') };
}

async function start(place: Place, role: string, socket: string, endpoint: string): Promise<Role> {
  const started = startRole(role, [], [
    program, role, '--pool', `sanity=${place.device}`, '--node-id', 'sanity-node',
    '--state-dir', join(place.directory, 'state'), '--host-dir', join(place.directory, 'host'),
    '--endpoint', `unix://${endpoint}`, '--fused-endpoint', `unix://${place.fused}`,
  ], join(place.directory, `${role}.log`));
  await untilServing(started, socket);
  return started;
}

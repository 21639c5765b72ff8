import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { HTTP_LIMITS } from '../../src/metrics/http-endpoint.ts';
import { type Role, startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { heldBy } from '../soak/processes.ts';
import { freePort } from '../support/http-role.ts';
import { type AttackedRole, attackHttp, type HttpAttack } from './http-attack.ts';

/** Descriptors that the role may have. */
const FILES_MAX = 300;
const EACH_MS = 8000;
/** What a role may need more while it is attacked, in bytes. */
const MEMORY_MAX = 128 * 2 ** 20;

const attacks: Record<HttpAttack, { title: string; clients: number }> = {
  unfinished: { title: '6,000 unfinished requests of 15 KB', clients: 6000 },
  idle: { title: 'more idle connections than it may have descriptors', clients: 2 * FILES_MAX },
  scrapes: { title: '200 clients that read its metrics', clients: 200 },
};

describe('a data plane whose HTTP endpoint is attacked', () => {
  const directory = tempDir('attacked');
  let role: Role;
  let attacked: AttackedRole;

  before(async () => {
    const device = shmFile('pool');
    const own = ['--state-dir', join(directory, 'state'), '--host-dir', join(directory, 'host')];
    execFileSync(program, ['mkfs', device, '--simulate', '64GiB', ...own], { stdio: 'pipe' });
    const port = await freePort();
    const socket = join(directory, 'fused.sock');
    role = startRole('fused', ['prlimit', `--nofile=${FILES_MAX}:${FILES_MAX}`], [
      program, 'fused', '--pool', `fast=${device}`, ...own, '--node-id', 'here', '--fused-endpoint', `unix://${socket}`, '--http-port', String(port),
    ], join(directory, 'fused.log'));
    await untilServing(role, socket);
    attacked = { pid: role.child.pid!, port };
  });

  after(async () => assert.equal(await stopRole(role), undefined));

  for (const [shape, { title, clients }] of Object.entries(attacks) as [HttpAttack, (typeof attacks)[HttpAttack]][]) {
    it(`is found alive all the time, and stays as small as it was, by ${title}`, async () => {
      const before = heldBy(attacked.pid)!;
      const { connections, mostFiles, mostBytes } = await attackHttp(attacked, shape, clients, EACH_MS);
      assert.ok(connections > clients, `${connections} connections of ${clients} clients`);
      assert.ok(mostFiles <= before.fds + HTTP_LIMITS.connections + 8, `${mostFiles} open files, ${before.fds} before`);
      assert.ok(mostBytes <= before.rssAnon + MEMORY_MAX, `${mostBytes} bytes, ${before.rssAnon} before`);
    });
  }
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { HTTP_LIMITS } from '../../src/metrics/http-endpoint.ts';
import { type Role, startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';
import { heldBy } from '../soak/processes.ts';
import { freePort } from '../support/http-role.ts';
import { type AttackedRole, attackHttp, type HttpAttack, type HttpAttackFigures } from './http-attack.ts';

/** Descriptors that the role may have. */
const FILES_MAX = 300;
/** What a role may need more while it is attacked, in bytes. */
const MEMORY_MAX = 128 * 2 ** 20;

export const httpAttacks: Readonly<Record<HttpAttack, { readonly title: string; readonly clients: number }>> = {
  unfinished: { title: '6,000 unfinished requests of 15 KB', clients: 6000 },
  idle: { title: 'more idle connections than it may have descriptors', clients: 2 * FILES_MAX },
  scrapes: { title: '200 clients that read its metrics', clients: 200 },
};

/** A data plane with few descriptors, whose HTTP endpoint is to be attacked. */
export class AttackedPlane {
  readonly #role: Role;
  readonly #attacked: AttackedRole;

  private constructor(role: Role, port: number) {
    this.#role = role;
    this.#attacked = { pid: role.child.pid!, port };
  }

  static async start(): Promise<AttackedPlane> {
    const directory = tempDir('attacked');
    const device = shmFile('pool');
    const own = ['--state-dir', join(directory, 'state'), '--host-dir', join(directory, 'host')];
    execFileSync(program, ['mkfs', device, '--simulate', '64GiB', ...own], { stdio: 'pipe' });
    const port = await freePort();
    const socket = join(directory, 'fused.sock');
    const role = startRole('fused', ['prlimit', `--nofile=${FILES_MAX}:${FILES_MAX}`], [
      program, 'fused', '--pool', `fast=${device}`, ...own, '--node-id', 'here', '--fused-endpoint', `unix://${socket}`, '--http-port', String(port),
    ], join(directory, 'fused.log'));
    await untilServing(role, socket);
    return new AttackedPlane(role, port);
  }

  /** Attacks it for a while. Throws AssertionError where it was not found alive once, or has grown. */
  async stand(shape: HttpAttack, forMs: number): Promise<HttpAttackFigures> {
    const { clients } = httpAttacks[shape];
    const before = heldBy(this.#attacked.pid)!;
    const figures = await attackHttp(this.#attacked, shape, clients, forMs);
    const { connections, mostFiles, mostBytes } = figures;
    assert.ok(connections > clients, `${connections} connections of ${clients} clients`);
    assert.ok(mostFiles <= before.fds + HTTP_LIMITS.connections + 8, `${mostFiles} open files, ${before.fds} before`);
    assert.ok(mostBytes <= before.rssAnon + MEMORY_MAX, `${mostBytes} bytes, ${before.rssAnon} before`);
    return figures;
  }

  async stop(): Promise<void> {
    assert.equal(await stopRole(this.#role), undefined);
  }
}

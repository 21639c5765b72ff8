import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { csi, fused } from '../../src/csi/server/protocols.ts';
import { Host, type Role, startRole, stopRole, untilServing } from '../demo/host.ts';
import type { Pool__Output } from '../../src/generated/famfs/fused/v1/Pool.ts';
import { program } from '../harness/paths.ts';
import type { NodeClient } from '../support/csi-requests.ts';
import { plain, unary } from '../support/grpc-client.ts';
import { askRole, freePort } from '../support/http-role.ts';
import type { Site } from './site.ts';

/** A host: a mount namespace of its own, with its data plane and its node plugin. */
export class HostProcesses {
  readonly name: string;
  readonly node: NodeClient;
  readonly #host: Host;
  readonly #site: Site;
  readonly #roles: readonly Role[];
  readonly #plane: InstanceType<typeof fused.Fused>;
  readonly #port: number;

  private constructor(site: Site, host: Host, roles: readonly Role[], sockets: { plane: string; node: string }, port: number) {
    this.name = host.name;
    this.#site = site;
    this.#host = host;
    this.#roles = roles;
    this.#plane = new fused.Fused(`unix://${sockets.plane}`, plain);
    this.node = new csi.Node(`unix://${sockets.node}`, plain);
    this.#port = port;
  }

  static async start(site: Site, name: string): Promise<HostProcesses> {
    const host = await Host.boot(name);
    const directory = site.hostDirectory(name);
    const port = await freePort();
    const sockets = { plane: join(directory, 'fused.sock'), node: join(directory, 'csi.sock') };
    const options = [...site.roleOptions(name), '--fused-endpoint', `unix://${sockets.plane}`];
    const start = (role: string, ...more: string[]) =>
      startRole(`${name}-${role}`, host.prefix, [program, role, ...options, ...more], join(directory, `${role}.log`));
    const plane = start('fused', '--http-port', String(port));
    await untilServing(plane, sockets.plane);
    const node = start('node', '--endpoint', `unix://${sockets.node}`);
    await untilServing(node, sockets.node);
    return new HostProcesses(site, host, [plane, node], sockets, port);
  }

  /** Put before a command, this runs it on the host. */
  get prefix(): string[] {
    return this.#host.prefix;
  }

  /** A directory of this host alone, as the host names it. */
  get directory(): string {
    return this.#site.hostDirectory(this.name);
  }

  /** A path of the host as others on this machine reach it. */
  reach(path: string): string {
    return this.#host.root + path;
  }

  /** Mounts the pool; answers where, as the host names it. */
  async mount(): Promise<string> {
    const { path } = await unary(this.#plane, this.#plane.ensureSession.bind(this.#plane), { pool_uuid: this.#site.uuid }) as { path: string };
    return path;
  }

  /** What the data plane says of its pools. */
  async pools(): Promise<readonly Pool__Output[]> {
    const { pools } = await unary(this.#plane, this.#plane.listPools.bind(this.#plane), {}) as { pools: Pool__Output[] };
    return pools;
  }

  /** The data plane, the supervisor of its session, and the child that serves. */
  get processes(): { plane: number; supervisor: number; child: number } {
    const plane = this.#roles[0].child.pid!;
    const supervisor = firstChildOf(plane);
    const [child] = childrenOf(supervisor);
    return { plane, supervisor, child };
  }

  /** The children of the session's supervisor: one, but while one follows another. */
  get serving(): number[] {
    return childrenOf(this.processes.supervisor);
  }

  get nodePlugin(): number {
    return this.#roles[1].child.pid!;
  }

  get log(): string {
    return this.#roles.map(({ logFile }) => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '')).join('');
  }

  get hasEnded(): boolean {
    return this.#roles.some(({ child }) => child.exitCode !== null || child.signalCode !== null);
  }

  /** The sum of a metric of the data plane over all its labels. */
  async total(metric: string): Promise<number> {
    const { text } = await askRole(this.#port, '/metrics');
    const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** The value of a metric of the data plane, by its name and labels; undefined where there is none. */
  async metric(series: string): Promise<number | undefined> {
    const { text } = await askRole(this.#port, '/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  async stop(): Promise<string[]> {
    this.node.close();
    this.#plane.close();
    const problems: string[] = [];
    for (const role of [...this.#roles].reverse()) {
      const problem = await stopRole(role);
      if (problem !== undefined) problems.push(problem);
    }
    const mounts = this.#host.mountsBelow(this.directory);
    for (const mount of mounts) {
      problems.push(`${this.name} has ${mount} mounted still`);
      execFileSync('nsenter', [...this.prefix.slice(1), 'umount', '-lf', mount], { stdio: 'ignore' });
    }
    this.#host.shutDown();
    return problems;
  }
}

/** How often to look for a child that is there. */
const LOOKS = 1000;

/**
 * The first child of a process that has one. It is looked for again and again: the kernel leaves living children
 * out of the list when others end in the same moment, proc_pid_task(5). Throws when there is none all the same.
 */
function firstChildOf(pid: number): number {
  for (let look = 0; look < LOOKS; look++) {
    const [child] = childrenOf(pid);
    if (child !== undefined) return child;
  }
  throw new Error(`process ${pid} has no child`);
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** The demo's cluster: a controller and two hosts that share one device. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { csi } from '../../src/csi/server/protocols.ts';
import { program } from '../harness/paths.ts';
import { plain } from '../support/grpc-client.ts';
import { Host, type Role, startRole, stopRole, untilServing } from './host.ts';

/** A host with the driver's two node roles running. */
export interface ClusterNode {
  name: string;
  host: Host;
  /** Everything of this host: sockets, staging directories, the pods' volumes. */
  directory: string;
  client: InstanceType<typeof csi.Node>;
}

/** Starts the roles with `start…`, ends them all with `stop`. */
export class Cluster {
  /** Where the cluster keeps everything but the shared memory. */
  readonly directory: string;
  /** The shared memory. */
  readonly device: string;
  /** The device of a second pool. */
  readonly second: string | undefined;
  readonly #roles: Role[] = [];
  readonly #hosts: Host[] = [];
  readonly #clients: { close(): void }[] = [];

  /** `second`: the device of one more pool, which is called `second`. */
  constructor(directory: string, device: string, second?: string) {
    this.directory = directory;
    this.device = device;
    this.second = second;
  }

  /** What the cluster's members agree on outside the memory. */
  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  /** What every role is told: the pools, and where the cluster keeps its records. */
  get #common(): string[] {
    const second = this.second === undefined ? [] : ['--pool', `second=${this.second}`];
    return ['--pool', `demo=${this.device}`, ...second, '--state-dir', this.stateDirectory];
  }

  async startController(): Promise<InstanceType<typeof csi.Controller>> {
    const socket = join(this.directory, 'controller.sock');
    const role = this.#start('controller', [], [
      program, 'controller', ...this.#common, '--node-id', 'controller',
      ...['--host-dir', join(this.directory, 'controller'), '--endpoint', `unix://${socket}`],
    ]);
    await untilServing(role, socket);
    const client = new csi.Controller(`unix://${socket}`, plain);
    this.#clients.push(client);
    return client;
  }

  async startNode(name: string): Promise<ClusterNode> {
    const host = await Host.boot(name);
    this.#hosts.push(host);
    const directory = join(this.directory, name);
    mkdirSync(directory);
    const fused = join(directory, 'fused.sock');
    const socket = join(directory, 'csi.sock');
    const own = ['--node-id', name, '--host-dir', directory, '--fused-endpoint', `unix://${fused}`];
    const common = [...this.#common, ...own];
    await untilServing(this.#start(`${name}-fused`, host.prefix, [program, 'fused', ...common]), fused);
    const endpoint = ['--endpoint', `unix://${socket}`];
    const node = this.#start(`${name}-node`, host.prefix, [program, 'node', ...common, ...endpoint]);
    await untilServing(node, socket);
    const client = new csi.Node(`unix://${socket}`, plain);
    this.#clients.push(client);
    return { name, host, directory, client };
  }

  /** Ends everything, last started first; says what did not end cleanly. */
  async stop(): Promise<string[]> {
    for (const client of this.#clients) client.close();
    const problems: string[] = [];
    for (const role of this.#roles.reverse()) {
      const problem = await stopRole(role);
      if (problem) problems.push(problem);
    }
    for (const host of this.#hosts) {
      const mounts = host.mountsBelow(this.directory);
      if (mounts.length > 0) problems.push(`${host.name} still has mounts: ${mounts.join(', ')}`);
      host.shutDown();
    }
    for (const name of ['controller.sock', ...this.#hosts.map((host) => `${host.name}/csi.sock`)]) {
      if (existsSync(join(this.directory, name))) problems.push(`${name} was left behind`);
    }
    return problems;
  }

  #start(name: string, prefix: string[], command: string[]): Role {
    const role = startRole(name, prefix, command, join(this.directory, `${name}.log`));
    this.#roles.push(role);
    return role;
  }
}

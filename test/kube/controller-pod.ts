/** A controller as it runs in a pod: a process with its pod's environment, on a pretended node. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { csi } from '../../src/csi/server/protocols.ts';
import { type Role, startRole, stopRole } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';
import type { ControllerClient } from '../support/csi-requests.ts';
import { plain } from '../support/grpc-client.ts';
import { untilSo } from '../support/until.ts';

/** A pool as the pools file names it. */
export interface PoolEntry {
  readonly name: string;
  readonly device: string;
  readonly format?: 'never' | 'ifEmpty';
  readonly logSize?: string;
}

export interface PodOptions {
  readonly driver: string;
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly pools: readonly PoolEntry[];
  /** Where it tells its health and metrics. */
  readonly httpPort?: number;
  /** More environment of its process. */
  readonly environment?: readonly string[];
}

export class ControllerPod {
  readonly name: string;
  readonly uid = randomUUID();
  readonly socket: string;
  readonly sidecarSocket: string;
  readonly #options: PodOptions;
  readonly #directory: string;
  #role: Role | undefined;
  #client: ControllerClient | undefined;
  #started = 0;

  constructor(name: string, options: PodOptions) {
    this.name = name;
    this.#options = options;
    this.#directory = tempDir(name);
    this.socket = join(this.#directory, 'csi.sock');
    this.sidecarSocket = join(this.#directory, 'sidecars.sock');
  }

  start(): void {
    const { driver, namespace, kubeconfig, pools, httpPort = 0, environment: more = [] } = this.#options;
    const file = join(this.#directory, 'pools.json');
    writeFileSync(file, JSON.stringify({ pools }));
    const environment = [`KUBECONFIG=${kubeconfig}`, `POD_NAME=${this.name}`, `POD_UID=${this.uid}`, `POD_NAMESPACE=${namespace}`, `NODE_NAME=node-${this.name}`, ...more];
    const args = [
      'controller', `--kubernetes=${namespace}`, `--pools-file=${file}`, `--driver-name=${driver}`, `--endpoint=unix://${this.socket}`,
      `--sidecar-endpoint=unix://${this.sidecarSocket}`,
      `--node-id=node-${this.name}`, `--host-dir=${join(this.#directory, 'host')}`, `--http-port=${httpPort}`, '--log-level=debug',
    ];
    this.#started++;
    this.#role = startRole(this.name, [], ['env', ...environment, program, ...args], this.log);
  }

  /** The log of the latest process. */
  get log(): string {
    return join(this.#directory, `log-${this.#started}`);
  }

  get isServing(): boolean {
    return existsSync(this.socket) && this.isRunning;
  }

  get isRunning(): boolean {
    const child = this.#role?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Waits until calls are answered. */
  async untilServing(): Promise<ControllerClient> {
    const hopeless = () => (this.isRunning ? undefined : `${this.name} has ended with ${this.#role?.child.exitCode}`);
    await untilSo(`${this.name} serves`, () => this.isServing, { everyMs: 20, hopeless });
    this.#client?.close();
    return this.#client = new csi.Controller(`unix://${this.socket}`, plain);
  }

  /** What it answers over HTTP. */
  async tell(path: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(`http://127.0.0.1:${this.#options.httpPort}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Resolves with the exit code when the process has ended. */
  async untilEnded(): Promise<number | null> {
    const { child } = this.#role!;
    if (this.isRunning) await once(child, 'exit');
    return child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.#role?.child.kill(signal);
  }

  /** Ends it as the kubelet does; what went wrong with that, in words. */
  async stop(): Promise<string | undefined> {
    this.#client?.close();
    return this.#role && this.isRunning ? stopRole(this.#role) : undefined;
  }
}

import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { csi } from '../../src/csi/server/protocols.ts';
import { type Role, startRole, stopRole } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import type { ControllerClient } from '../support/csi-requests.ts';
import { plain } from '../support/grpc-client.ts';
import { askRole } from '../support/http-role.ts';
import { untilSo } from '../support/until.ts';
import type { Site } from './site.ts';

export interface ControllerOptions {
  /** It kills itself after so many stores to shared memory. */
  readonly diesAfter?: number;
  readonly httpPort?: number;
}

/** Long enough for a rival's claim to be outwaited, on a machine that is busy. */
const LIMIT_MS = 180_000;
const DOOMED = fileURLToPath(new URL('./doomed.ts', import.meta.url));
let started = 0;

/** A real controller. */
export class ControllerProcess {
  readonly client: ControllerClient;
  /** Resolves when it is no more. */
  readonly ended: Promise<unknown>;
  readonly #role: Role;
  readonly #socket: string;
  readonly #port: number;

  constructor(site: Site, host: string, { diesAfter, httpPort = 0 }: ControllerOptions) {
    const name = `controller-${++started}`;
    this.#socket = join(site.directory, `${name}.sock`); // a killed one leaves its socket
    this.#port = httpPort;
    const command = diesAfter === undefined ? [program] : [process.execPath, DOOMED, String(diesAfter)];
    this.#role = startRole(name, [], [
      ...command, 'controller', ...site.roleOptions(host), '--endpoint', `unix://${this.#socket}`,
      '--http-port', String(httpPort), '--scrub-rate', '0',
    ], join(site.directory, `${name}.log`));
    this.ended = once(this.#role.child, 'exit');
    this.client = new csi.Controller(`unix://${this.#socket}`, plain);
  }

  get pid(): number {
    return this.#role.child.pid!;
  }

  get hasEnded(): boolean {
    const { exitCode, signalCode } = this.#role.child;
    return exitCode !== null || signalCode !== null;
  }

  get log(): string {
    return existsSync(this.#role.logFile) ? readFileSync(this.#role.logFile, 'utf8') : '';
  }

  /** Waits until it serves; false when it has been killed before. */
  async serves(): Promise<boolean> {
    const look = () => (this.hasEnded ? 'ended' : existsSync(this.#socket) && 'serves');
    return await untilSo(`${this.#role.name} serves`, look, { everyMs: 5, describe: () => this.log }) === 'serves';
  }

  /** Waits until its own SIGKILL has reached it. */
  async killed(): Promise<void> {
    const late = sleep(LIMIT_MS, 'late', { ref: false });
    if (await Promise.race([this.ended, late]) === 'late') throw new Error(`${this.#role.name} lives on:\n${this.log}`);
    this.client.close();
    const { signalCode, exitCode } = this.#role.child;
    if (signalCode !== 'SIGKILL') throw new Error(`${this.#role.name} ended with ${signalCode ?? exitCode}:\n${this.log}`);
  }

  /** The value of a metric, by its name and labels; undefined where there is none. */
  async metric(series: string): Promise<number | undefined> {
    const { text } = await askRole(this.#port, '/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  /** Asks it to end, where it has not; says how it ended when that was not as it should. */
  async stop(): Promise<string[]> {
    this.client.close();
    if (this.hasEnded && this.#role.child.signalCode === 'SIGKILL') return [];
    const problem = await stopRole(this.#role);
    return problem === undefined ? [] : [problem];
  }
}

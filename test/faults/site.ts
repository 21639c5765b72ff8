import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { MIB } from '../../src/famfs/units.ts';
import { program } from '../harness/paths.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';
import { type ControllerOptions, ControllerProcess } from './controller-process.ts';
import { HostProcesses } from './host-processes.ts';

/** What memory is given in. */
export const UNIT = 2 * MIB;
/** The pool's name to its controllers and hosts. */
export const POOL = 'fast';

/** One pool, and the processes around it: controllers on any host, and hosts that mount it. */
export class Site {
  readonly directory = tempDir('site');
  readonly device = shmFile('pool');
  readonly uuid: string;
  readonly #processes: { stop(): Promise<string[]> }[] = [];

  /** Makes a pool with room for files of so many bytes in all. */
  constructor(bytes: number, logSize = 8 * MIB) {
    this.famfs('mkfs', this.device, '--simulate', String(UNIT + logSize + bytes), '--log-size', String(logSize),
      '--state-dir', this.stateDirectory, '--host-dir', this.hostDirectory('mkfs'));
    this.uuid = this.read((pool) => pool.uuid);
  }

  /** What all members of the cluster share. */
  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  /** What is local to a host; it has its locks there, which no other host sees. */
  hostDirectory(host: string): string {
    const directory = join(this.directory, host);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  /** Options that every role is given. */
  roleOptions(host: string): string[] {
    return ['--pool', `${POOL}=${this.device}`, '--state-dir', this.stateDirectory, '--node-id', host, '--host-dir', this.hostDirectory(host)];
  }

  startController(host: string, options: ControllerOptions = {}): ControllerProcess {
    return this.#keep(new ControllerProcess(this, host, options));
  }

  async startHost(name: string): Promise<HostProcesses> {
    return this.#keep(await HostProcesses.start(this, name));
  }

  /** Runs a command that must succeed, and answers what it printed. */
  famfs(...args: string[]): string {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Looks at the pool as somebody who has just come. */
  read<T>(look: (pool: Pool) => T): T {
    const pool = Pool.open(sourceOf(this.device), { writable: false });
    try {
      return look(pool);
    } finally {
      pool.close();
    }
  }

  /** The pool as a host sees it that has been there all the time, and may write to its files. */
  attach(): Pool {
    return Pool.open(sourceOf(this.device));
  }

  /** Does something here, and ends everything afterwards, last started first. Throws when something does not end as it should. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.#stop();
      throw error;
    }
    assert.deepEqual(await this.#stop(), []);
    return result;
  }

  async #stop(): Promise<string[]> {
    const problems: string[] = [];
    for (const one of this.#processes.reverse()) problems.push(...await one.stop());
    remove(this.device);
    return problems;
  }

  #keep<T extends { stop(): Promise<string[]> }>(one: T): T {
    this.#processes.push(one);
    return one;
  }
}

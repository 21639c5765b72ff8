/** Processes without a descriptor left: what they cannot open, and nobody can open for them. */
import net from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until.ts';
import assert from 'node:assert/strict';

/** Uses up all descriptors of a process, by connections to a socket file that it serves, until it is released. */
export class Exhaustion {
  readonly #pid: number;
  readonly #socket: string;
  readonly #limit: number;
  readonly #connections = new Set<net.Socket>();
  #isReleased = false;

  private constructor(pid: number, socket: string) {
    this.#pid = pid;
    this.#socket = socket;
    this.#limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))![1]);
  }

  /** Resolves when nothing is left. A descriptor that the process gives back is taken from it again. */
  static async of(pid: number, socket: string): Promise<Exhaustion> {
    const exhaustion = new Exhaustion(pid, socket);
    for (let k = 0; k < exhaustion.#limit; k++) exhaustion.#connect();
    await until(() => assert.ok(exhaustion.isComplete));
    return exhaustion;
  }

  get isComplete(): boolean {
    return readdirSync(`/proc/${this.#pid}/fd`).length >= this.#limit;
  }

  release(): void {
    this.#isReleased = true;
    for (const connection of this.#connections) connection.destroy();
  }

  #connect(): void {
    if (this.#isReleased) return;
    const connection = net.connect(this.#socket);
    this.#connections.add(connection);
    connection.on('error', () => undefined);
    connection.once('close', () => {
      this.#connections.delete(connection);
      setTimeout(() => this.#connect(), 5);
    });
  }
}

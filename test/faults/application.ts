import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import readline from 'node:readline';
import type { ClientSum } from './tally.ts';

/** An application at work, as a process of its own: one that repeats something until its input ends. */
export class Application {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stderr.pipe(process.stderr);
    this.#lines = readline.createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  static async start(script: string, ...args: string[]): Promise<Application> {
    const application = new Application(spawn(process.execPath, [script, ...args]));
    assert.equal((await application.#lines.next()).value, 'at work');
    return application;
  }

  /** Lets it end; answers what it counted. */
  async end(): Promise<ClientSum> {
    this.#child.stdin.end();
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the application has ended before: ${this.#child.signalCode ?? this.#child.exitCode}`);
    return JSON.parse(value) as ClientSum;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

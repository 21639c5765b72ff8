import assert from 'node:assert/strict';
import { LineProcess } from '../support/line-process.ts';
import type { ClientSum } from './tally.ts';

/** An application at work, as a process of its own: one that repeats something until its input ends. */
export class Application {
  readonly #process: LineProcess;

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  static async start(script: string, ...args: string[]): Promise<Application> {
    const application = LineProcess.ofScript(script, ...args);
    assert.equal(await application.hear(), 'at work');
    return new Application(application);
  }

  /** Lets it end; answers what it counted. */
  async end(): Promise<ClientSum> {
    this.#process.tellTheEnd();
    return JSON.parse(await this.#process.hear()) as ClientSum;
  }

  kill(): void {
    this.#process.signal('SIGKILL');
  }
}

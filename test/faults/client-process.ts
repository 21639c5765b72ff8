import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Answer, Request } from './client.ts';

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));

/** An application that runs on a host, as a process of its own. */
export class ClientProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stderr.pipe(process.stderr);
    this.#lines = readline.createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /** Starts it, and opens a file, by the host's name for it. */
  static async open({ prefix }: { readonly prefix: readonly string[] }, path: string): Promise<ClientProcess> {
    const [program, ...args] = [...prefix, process.execPath, CLIENT];
    const client = new ClientProcess(spawn(program!, args));
    const { error, bytes } = await client.ask({ do: 'open', path });
    if (error !== undefined) throw new Error(bytes);
    return client;
  }

  /** Requests are answered one after the other. */
  async ask(request: Request): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the application has ended: ${this.#child.signalCode ?? this.#child.exitCode}`);
    return JSON.parse(value) as Answer;
  }

  /** Ends it, whatever it waits for: with its own SIGKILL, where the data plane does not answer. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

import { fileURLToPath } from 'node:url';
import { LineProcess } from '../support/line-process.ts';
import type { Answer, Request } from './client.ts';

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));

/** An application that runs on a host, as a process of its own. */
export class ClientProcess {
  readonly #process: LineProcess;

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  /** Starts it, and opens a file, by the host's name for it. */
  static async open({ prefix }: { readonly prefix: readonly string[] }, path: string): Promise<ClientProcess> {
    const [program, ...args] = [...prefix, process.execPath, CLIENT];
    const client = new ClientProcess(new LineProcess(program!, ...args));
    const { error, bytes } = await client.ask({ do: 'open', path });
    if (error !== undefined) throw new Error(bytes);
    return client;
  }

  /** Requests are answered one after the other. */
  async ask(request: Request): Promise<Answer> {
    this.#process.tell(JSON.stringify(request));
    return JSON.parse(await this.#process.hear()) as Answer;
  }

  /** Ends it, whatever it waits for: with its own SIGKILL, where the data plane does not answer. */
  end(): Promise<void> {
    return this.#process.kill();
  }
}

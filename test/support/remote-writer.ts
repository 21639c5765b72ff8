import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { Pool } from '../../src/famfs/pool.ts';
import { PoolWriter, type WriterIdentity } from '../../src/famfs/writer.ts';
import { file } from './pools.ts';

/** A writer in a process of its own, which can be paused and killed. */
export class RemoteWriter {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  /** Starts it and waits until it rules. */
  static async start(device: string, identity: WriterIdentity): Promise<RemoteWriter> {
    const child = spawn(process.execPath, [import.meta.filename, device, JSON.stringify(identity)]);
    child.stderr.pipe(process.stderr);
    const writer = new RemoteWriter(child);
    const first = await writer.#answer();
    if (first !== 'ready') throw new Error(`the remote writer says ${first}`);
    return writer;
  }

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = readline.createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /** `ok`, or the code and message of the failure. */
  async create(path: string): Promise<string> {
    this.#child.stdin.write(`${path}\n`);
    return this.#answer();
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #answer(): Promise<string> {
    const { value, done } = await this.#lines.next();
    return done ? 'the end' : value;
  }
}

if (import.meta.main) {
  const pool = Pool.open(process.argv[2]);
  const writer = await PoolWriter.acquire(pool, { identity: JSON.parse(process.argv[3]) as WriterIdentity });
  console.log('ready');
  for await (const path of readline.createInterface(process.stdin)) {
    try {
      writer.create([file(path)]);
      console.log('ok');
    } catch (error) {
      console.log(`${(error as { code?: string }).code}: ${(error as Error).message}`);
    }
  }
}

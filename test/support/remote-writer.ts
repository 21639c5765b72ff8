import readline from 'node:readline';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { PoolWriter, type WriterIdentity } from '../../src/famfs/writer/writer.ts';
import { LineProcess } from './line-process.ts';
import { file } from './pools.ts';

/** A writer in a process of its own, which can be paused and killed. */
export class RemoteWriter {
  readonly #process: LineProcess;

  /** Starts it and waits until it rules. */
  static async start(device: string, identity: WriterIdentity): Promise<RemoteWriter> {
    const writer = LineProcess.ofScript(import.meta.filename, device, JSON.stringify(identity));
    const first = await writer.hear();
    if (first !== 'ready') throw new Error(`the remote writer says ${first}`);
    return new RemoteWriter(writer);
  }

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  /** `ok`, or the code and message of the failure. */
  create(path: string): Promise<string> {
    this.#process.tell(path);
    return this.#process.hear();
  }

  pause(): void {
    this.#process.signal('SIGSTOP');
  }

  resume(): void {
    this.#process.signal('SIGCONT');
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }
}

if (import.meta.main) {
  const pool = Pool.open(sourceOf(process.argv[2]));
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

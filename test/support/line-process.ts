import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';

/** A process that is told what to do in lines, and answers in lines. What it complains of is ours to show. */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, ...args: string[]) {
    this.#child = spawn(program, args);
    this.#child.stderr.pipe(process.stderr);
    this.#lines = readline.createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** A script with this Node.js. */
  static ofScript(script: string, ...args: string[]): LineProcess {
    return new LineProcess(process.execPath, script, ...args);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Nothing more will be told. */
  tellTheEnd(): void {
    this.#child.stdin.end();
  }

  /** Its next line. Throws when it has ended. */
  async hear(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the process has ended: ${this.#child.signalCode ?? this.#child.exitCode}`);
    return value;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills it, where it lives, and waits for its end. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { FamfsError } from '../../errors.ts';
import { SerialQueue } from '../../serial-queue.ts';
import { withTimeout } from '../../with-timeout.ts';

/** How a program ended. `output`: what it wrote, errors too, in English. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end, with a descriptor as its number 3. Throws FamfsError DEVICE when it cannot be started. */
export function runProgram(program: string, args: readonly string[], fd?: number): Promise<ProgramEnd> {
  return start(program, args, fd).ended;
}

/** How long a mount may take to answer: much longer than it takes to replace a serving process. */
const ANSWER_MS = 10_000;

/**
 * Runs programs that touch mounts of pools. Whoever touches the mount of a session that hangs waits with it: a
 * thread of ours could not be ended, is one of the few that Node.js has for files, and keeps its process from
 * ending. A program can be left alone. One at a time for each pool, so that it stays with one.
 */
export class TouchingPrograms {
  readonly #answerMs: number;
  readonly #queue = new SerialQueue();
  /** How often a program of a pool has not ended in time. */
  readonly #hangs = new Map<string, number>();
  /** Pools with a program that has not ended yet, though it was killed. */
  readonly #stuck = new Set<string>();

  /** `answerMs`: how long a program may take. */
  constructor(answerMs = ANSWER_MS) {
    this.#answerMs = answerMs;
  }

  /**
   * Runs a program to its end, after those of the same pool that were asked for before. Throws FamfsError
   * NOT_ANSWERING when it does not end in time, to everybody who waits for that pool then, and at once while
   * it is still there: the kernel ends some of them only when the session answers.
   */
  run(pool: string, program: string, args: readonly string[]): Promise<ProgramEnd> {
    const hangs = this.#hangs.get(pool) ?? 0;
    return this.#queue.run(pool, () => {
      if (this.#stuck.has(pool) || (this.#hangs.get(pool) ?? 0) !== hangs) throw notAnswering(pool);
      const { child, ended } = start(program, args);
      return withTimeout(ended, this.#answerMs, () => {
        child.kill('SIGKILL');
        this.#hangs.set(pool, hangs + 1);
        this.#stuck.add(pool);
        const gone = () => void this.#stuck.delete(pool);
        ended.then(gone, gone);
        throw notAnswering(pool);
      });
    });
  }
}

function notAnswering(pool: string): FamfsError {
  return new FamfsError('NOT_ANSWERING', `the mount of pool ${pool} on this host does not answer: repeat the call; if that goes on, see the data plane's log`);
}

function start(program: string, args: readonly string[], fd?: number): { readonly child: ChildProcess; readonly ended: Promise<ProgramEnd> } {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])],
    env: { ...process.env, LC_ALL: 'C' }, // its messages are understood
  });
  let output = '';
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()));
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.once('error', (error) => reject(new FamfsError('DEVICE', `${program} cannot be run: ${error.message}`)));
    child.once('close', (code) => resolve({ code, output: output.trim() }));
  });
  return { child, ended };
}

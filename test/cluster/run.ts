/** Runs other programs and says what they are for, how long it took and, when they fail, why. */
import { spawn, type ChildProcess } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { calculatedTicks, Progress } from './progress.ts';

/** How a program is run. */
export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Written to the standard input. */
  input?: string;
  /** The program is killed after this long; there is no such limit where there is one for standing still. */
  limitMs?: number;
  /** The program is killed when for so long it has neither said nor calculated anything. */
  idleMs?: number;
}

const defaultLimitMs = 10 * 60_000;

/** Runs a program to its end and gives its standard output; throws with what it said when it fails. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = start(program, args, options, options.input === undefined ? 'ignore' : 'pipe');
  child.stdin?.on('error', () => {}).end(options.input);
  return await outcome(child, [program, ...args]);
}

/** One command of a pipe: the program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** Runs two programs, the first one's output being the second one's input. */
export async function pipe(from: Command, to: Command, options: RunOptions = {}): Promise<string> {
  const [fromProgram, ...fromArgs] = from;
  const [toProgram, ...toArgs] = to;
  const source = start(fromProgram, fromArgs, options, 'ignore');
  const sink = start(toProgram, toArgs, options, 'pipe');
  const flow = pipeline(source.stdout!, sink.stdin!).catch(() => {});
  const [fed, taken] = await Promise.allSettled([ended(source, from), outcome(sink, to), flow]);
  // A sink that ends early says why itself; its source says only that nobody reads.
  if (taken.status === 'rejected') throw taken.reason;
  if (fed.status === 'rejected') throw fed.reason;
  return taken.value;
}

/** Does one step of a longer work and prints a line about it. */
export async function step<T>(title: string, act: () => Promise<T> | T): Promise<T> {
  const begin = performance.now();
  const seconds = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  try {
    const result = await act();
    console.log(`${title}: ${seconds()}`);
    return result;
  } catch (error) {
    console.log(`${title}: failed after ${seconds()}`);
    throw error;
  }
}

function start(program: string, args: readonly string[], options: RunOptions, input: 'ignore' | 'pipe'): ChildProcess {
  const standing = new AbortController();
  const child = spawn(program, args, {
    stdio: [input, 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    // Unlike the option 'timeout' it keeps no process waiting for a program that could not be started.
    signal: options.idleMs === undefined ? AbortSignal.timeout(options.limitMs ?? defaultLimitMs) : standing.signal,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (options.idleMs !== undefined) watch(child, options.idleMs, standing);
  return child;
}

const lookMs = 10_000;
const STOOD_STILL = 'stood still';

/** Has a program ended that stands still. */
function watch(child: ChildProcess, idleMs: number, standing: AbortController): void {
  const progress = new Progress(idleMs, performance.now());
  let said = 0;
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (said += chunk.length));
  const timer = setInterval(() => {
    if (progress.standsStill(said, calculatedTicks(child.pid!), performance.now())) standing.abort(STOOD_STILL);
  }, Math.min(lookMs, idleMs));
  for (const end of ['close', 'error']) child.once(end, () => clearInterval(timer));
}

async function outcome(child: ChildProcess, command: readonly string[]): Promise<string> {
  const output: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => output.push(chunk));
  const failure = ended(child, command, () => Buffer.concat(output).toString());
  await failure;
  return Buffer.concat(output).toString();
}

/** Resolves when the program ended well; what it said last is in the error when it did not. */
function ended(child: ChildProcess, command: readonly string[], output = () => ''): Promise<void> {
  const said: Buffer[] = [];
  child.stderr!.on('data', (chunk: Buffer) => said.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(error.name === 'AbortError'
      ? `'${command.join(' ').slice(0, 300)}' ${error.cause === STOOD_STILL ? STOOD_STILL : 'did not end in time'}`
      : `${command[0]} cannot be run: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      const text = (Buffer.concat(said).toString().trim() || output().trim()).split('\n').slice(-40).join('\n');
      reject(new Error(`'${command.join(' ').slice(0, 300)}' ended with ${signal ?? `exit code ${code}`}:\n${text}`));
    });
  });
}

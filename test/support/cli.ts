/** The command-line program as a person runs it, with every directory of its own. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { program } from '../harness/paths.ts';
import { shmFile, tempDir } from '../harness/temp.ts';

/** What came of one call. */
export interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a command to its end with more environment, and with no arguments but these. */
export function runWithEnvironment(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { env: { ...process.env, ...environment }, encoding: 'utf8', timeout: 25_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, out, err });
    });
  });
}

/** Commands that take the directories of the host and the cluster. */
const writing = ['mkfs', 'adopt', 'mkdir', 'creat', 'cp', 'rm'];

/** One cluster with one host, on which commands are typed. */
export class CommandLine {
  readonly directory = tempDir('cli');

  /** Runs a command to its end. */
  run(...args: string[]): Outcome {
    return this.runUnder([], ...args);
  }

  /** Runs a command under another program, such as `unshare`. */
  runUnder(prefix: string[], ...args: string[]): Outcome {
    const own: string[] = [];
    if (writing.includes(args[0])) own.push('--state-dir', this.stateDirectory);
    if (writing.includes(args[0]) || args[0] === 'mount') own.push('--host-dir', this.hostDirectory);
    const [first, ...rest] = [...prefix, program, ...args, ...own];
    const result = spawnSync(first, rest, { encoding: 'utf8', timeout: 25_000 });
    return { code: result.status, out: result.stdout, err: result.stderr };
  }

  /** Runs a shell command on a terminal; returns what the terminal showed. */
  onTerminal(command: string): string {
    return spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', timeout: 25_000 }).stdout;
  }

  /** Runs a command that must succeed; returns what it printed. */
  must(...args: string[]): string {
    const { code, out, err } = this.run(...args);
    assert.equal(code, 0, `famfs-csi ${args.join(' ')} exits with ${code}: ${err}`);
    return out;
  }

  /** Runs a command with --json that must succeed, and print one document and nothing else. */
  json<T = Record<string, unknown>>(...args: string[]): T {
    return JSON.parse(this.must(...args, '--json')) as T;
  }

  /** Runs a command that must be refused with exit code 1 and one line that says why. */
  refused(expected: RegExp, ...args: string[]): void {
    const { code, out, err } = this.run(...args);
    assert.equal(code, 1, `famfs-csi ${args.join(' ')} exits with ${code}: ${err}`);
    assert.match(err, expected, `famfs-csi ${args.join(' ')}`);
    assert.doesNotMatch(err, /^\s+at /m, 'a refusal is a sentence, not a stack');
    assert.equal(out, '');
  }

  /** A new pool in shared memory. */
  newPool(size = '64MiB'): string {
    const device = shmFile('pool');
    this.must('mkfs', device, '--simulate', size);
    return device;
  }

  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  get hostDirectory(): string {
    return join(this.directory, 'host');
  }
}

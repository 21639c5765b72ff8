/** Runs Spin on a model: generates the checker, compiles it, runs it, and reads its report. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { remove, tempDir } from '../harness/temp.ts';
import type { Configuration } from './configurations.ts';
import { type Coverage, readCoverage } from './coverage.ts';
import { readModel } from './source.ts';

/** How much a run may use, and how it stores states. */
export interface Effort {
  readonly megabytes: number;
  readonly seconds: number;
  /** To compile the checker well takes longer than most small models take to check. */
  readonly optimise?: true;
  /** Hashes states to bits, and ends after so many minutes: not exhaustive. For what is too large otherwise. */
  readonly bitstateMinutes?: number;
  /** Looks for the shortest way to a violation, and not for the first. */
  readonly shortest?: true;
}

/** What the checker found. */
export interface Verdict {
  /** The invariant, or whatever else was wrong; undefined when nothing was. */
  readonly violated: string | undefined;
  readonly states: number;
  readonly seconds: number;
  readonly megabytes: number;
  /** Which statements were reached; after a violation, so far. */
  readonly coverage: Coverage;
  /** Where the model, the checker and its trace are. */
  readonly directory: string;
}

export const everyRun: Effort = { megabytes: 1500, seconds: 300 };

/** The model in a run's directory. */
export const MODEL = 'model.pml';

/** The -D options of a configuration, as Spin takes them. */
export function defineOptions({ defines }: Configuration): string[] {
  return Object.entries(defines).map(([name, value]) => (value === true ? `-D${name}` : `-D${name}=${value}`));
}

/**
 * Checks one configuration. Rejects when the checker could not be built, or gave up before it had seen every state.
 */
export async function check(configuration: Configuration, effort: Effort = everyRun): Promise<Verdict> {
  const directory = tempDir('model');
  writeFileSync(join(directory, MODEL), readModel(configuration.model).text);
  // -o3: every statement on its own, so that the report of what was reached tells of all of them.
  await mustRun(directory, 'spin', ['-o3', '-a', ...defineOptions(configuration), MODEL]);
  const storage = effort.bitstateMinutes === undefined ? ['-DCOLLAPSE'] : ['-DBITSTATE'];
  const options = [effort.optimise ? '-O2' : '-O0', '-w', '-DSAFETY', `-DMEMLIM=${effort.megabytes}`, ...storage, ...(effort.shortest ? ['-DREACH'] : [])];
  await mustRun(directory, 'gcc', [...options, '-o', 'pan', 'pan.c']);
  // -E: that nobody moves any more is no error, since everybody may stop.
  const sampled = effort.bitstateMinutes === undefined ? [] : ['-w35', '-k3', `-Q${effort.bitstateMinutes}`];
  const search = ['-E', '-m20000', ...sampled, ...(effort.shortest ? ['-i'] : [])];
  const { output, code } = await run(directory, './pan', search, effort.seconds);
  const report = readReport(output, effort.bitstateMinutes !== undefined);
  if (report === undefined || code !== 0) {
    throw new Error(`${configuration.name}: the checker ended with ${code} before it was done:\n${output.slice(-2000)}`);
  }
  const coverage = readCoverage(readFileSync(join(directory, 'pan.m'), 'utf8'), output);
  return { ...report, coverage, directory };
}

/** Forgets what a run has left. */
export function discard({ directory }: Verdict): void {
  remove(directory);
}

/** Reads pan's report; undefined when it did not look at every state (unless `sampled`), nor find an error. */
export function readReport(output: string, sampled = false): Omit<Verdict, 'coverage' | 'directory'> | undefined {
  const number = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? NaN);
  const errors = number(/errors: (\d+)/);
  const cut = /max search depth too small|out of memory|memory limit|Search not completed/i.test(output);
  if (Number.isNaN(errors) || (errors === 0 && cut && !sampled)) return undefined;
  const broken = /assertion violated\s+(.*) \(at depth/.exec(output)?.[1] ?? output.split('\n', 1)[0];
  return {
    violated: errors === 0 ? undefined : /^!\((\w+)\)$/.exec(broken)?.[1] ?? broken,
    states: number(/(\S+) states, stored/),
    seconds: number(/elapsed time (\S+) seconds/),
    megabytes: number(/(\S+)\s+total actual memory usage/),
  };
}

async function mustRun(directory: string, program: string, args: string[]): Promise<void> {
  const { output, code } = await run(directory, program, args, 120);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}`);
}

/** Runs a program with little claim on the processor; its output of both kinds, and its exit code or signal. */
async function run(directory: string, program: string, args: string[], seconds: number): Promise<{ output: string; code: number | string }> {
  const child = spawn('nice', ['-n', '10', program, ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(signal ?? status ?? 'nothing'));
    });
    return { output: Buffer.concat(chunks).toString('utf8'), code };
  } finally {
    clearTimeout(timer);
  }
}

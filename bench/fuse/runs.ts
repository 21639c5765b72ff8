/** Every campaign that was run, in fuse-runs.json: what is judged is the median over all of them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { median } from '../result.ts';
import { type Job, jobs } from './jobs.ts';
import { peerVersions, type Server } from './peers.ts';

const file = new URL('../fuse-runs.json', import.meta.url);

/** What each server reached in each round of a job, in the job's unit: shorter where it hung. */
export type Rates = Readonly<Record<Server, readonly number[]>>;

/** One campaign. */
export interface Run {
  readonly date: string;
  /** What was unlike the others. */
  readonly note?: string;
  readonly kernel: string;
  readonly cpus: string;
  /** Of the peers, by their names in `rates`. */
  readonly versions: Readonly<Record<string, string>>;
  /** By name of the job. */
  readonly rates: Readonly<Record<string, Rates>>;
}

/** A campaign that has just ended. */
export function runOf(measured: ReadonlyMap<Job, Rates>): Run {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString().slice(0, 16), kernel: os.release().split('.', 2).join('.'), cpus: `${cpus.length} x ${cpus[0]?.model ?? 'unknown'}`, versions: peerVersions(),
    rates: Object.fromEntries([...measured].map(([{ name }, rates]) => [name, rounded(rates)])),
  };
}

/** All that were kept, oldest first. */
export function keptRuns(): Run[] {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Run[] : [];
}

/** Adds one. A line each, so that a diff shows what was added. */
export function keep(run: Run): void {
  writeFileSync(file, `[\n${[...keptRuns(), run].map((each) => JSON.stringify(each)).join(',\n')}\n]\n`);
}

/** Ours beside another server in a job, over some runs of which it has figures. */
export interface Comparison {
  /** Median of the runs' ratios of medians. */
  readonly ratio: number;
  /** Of the rounds of all runs. */
  readonly least: number;
  readonly most: number;
}

export function compare(runs: readonly Run[], { name }: Job, peer: Server): Comparison | undefined {
  const rates = runs.map((run) => run.rates[name]!).filter(({ [peer]: theirs }) => theirs.length > 0);
  if (rates.length === 0) return undefined;
  const rounds = rates.flatMap(({ ours, [peer]: theirs }) => theirs.map((rate, round) => ours[round]! / rate));
  return { ratio: median(rates.map((each) => median(each.ours) / median(each[peer]))), least: Math.min(...rounds), most: Math.max(...rounds) };
}

/** The median of a server's medians. */
export function figure(runs: readonly Run[], { name, unit }: Job, server: Server): string {
  const medians = runs.map((run) => run.rates[name]![server]).filter((rates) => rates.length > 0).map(median);
  return medians.length === 0 ? '-' : `${median(medians).toFixed(1)} ${unit}`;
}

/** Jobs that a run has: one of an older list may lack some. */
export const jobsOf = (runs: readonly Run[]) => jobs.filter(({ name }) => runs.every((run) => name in run.rates));

function rounded(rates: Rates): Rates {
  return Object.fromEntries(Object.entries(rates).map(([server, list]) => [server, list.map((rate) => Number(rate.toPrecision(5)))])) as unknown as Rates;
}

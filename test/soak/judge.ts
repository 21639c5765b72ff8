import { MIB } from '../../src/famfs/units.ts';
import { type Allowance, courseOf, hasGrown } from './flatness.ts';
import { PROCESSES, type ProcessName, type Sample } from './sampler.ts';

/** The session's processes keep next to nothing in their heaps. The child's index grows with the log, by a few MiB an hour. */
const SESSION: Allowance = { absolute: 12 * MIB, relative: 0.1 };
/**
 * Roles speak gRPC: with some 25 MiB in use, Node.js collects such a heap every quarter of an hour, and
 * holds up to five times as much before. What they lose at 4 volumes a second shows in an hour all the same.
 */
const ROLE: Allowance = { absolute: 128 * MIB, relative: 1 };
const MEMORY: Readonly<Record<ProcessName, Allowance>> = {
  'controller': ROLE, 'node plugin': ROLE, 'data plane': ROLE, 'supervisor': SESSION, 'child': SESSION,
};
const isOfSession = (name: ProcessName) => name === 'supervisor' || name === 'child';
/** Of open files and threads. The session's do not come and go; those of roles do, with calls under way. */
const FEW: Allowance = { absolute: 2, relative: 0 };
const SOME: Allowance = { absolute: 8, relative: 0 };
/** The override table is sparse: in the end each of its pages has been touched. */
const FILE_BYTES: Allowance = { absolute: 5 * MIB, relative: 0 };
/** As many volumes as there are at the same time. */
const POOL_BYTES: Allowance = { absolute: 64 * MIB, relative: 0 };
/** Slots of volumes that are deleted just now. */
const OVERRIDES: Allowance = { absolute: 16, relative: 0 };
/** As many as applications have under way, and read ahead: fewer where the session is fast. That none is forgotten shows in the end. */
const REQUESTS: Allowance = { absolute: 100, relative: 0 };

/** A figure that must be flat. */
interface Track {
  readonly what: string;
  readonly allowed: Allowance;
  readonly samples: readonly number[];
  readonly unit?: 'MiB';
}

export interface Verdict {
  /** A line for each figure. */
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

/** Whether everything that was sampled is flat: within each calm, from the first calm to the last, and, of what is counted, from begin to end. */
export function judge(samples: readonly Sample[]): Verdict {
  const calms = Math.max(...samples.map(({ calm }) => (calm ?? -1) + 1));
  const verdict = { lines: [] as string[], problems: [] as string[] };
  for (const track of [...withinCalms(samples, calms), ...acrossCalms(samples, calms), ...throughout(samples)]) {
    const scale = track.unit === 'MiB' ? MIB : 1;
    const course = courseOf(track.samples);
    const line = `${track.what}: ${show(course.first / scale)} to ${show(course.last / scale)}${track.unit === undefined ? '' : ' MiB'}`;
    verdict.lines.push(line);
    if (hasGrown(course, track.allowed)) verdict.problems.push(`not flat: ${line}`);
  }
  const own = restartsInCalms(samples);
  if (own > 0) verdict.problems.push(`${own} serving processes ended of themselves in a calm`);
  return verdict;
}

/** Memory of each process in each calm, in which no process was replaced. */
function withinCalms(samples: readonly Sample[], calms: number): Track[] {
  return numbers(calms).flatMap((calm) => PROCESSES.map((name): Track => ({
    what: `anonymous memory of the ${name} in calm ${calm + 1}`, allowed: MEMORY[name], unit: 'MiB',
    samples: held(samples.filter((sample) => sample.calm === calm), name, 'rssAnon'),
  })));
}

/** Memory of each process in the second halves of the first and the last calm: what is lost by replacements shows here. */
function acrossCalms(samples: readonly Sample[], calms: number): Track[] {
  if (calms < 2) return [];
  const late = (calm: number, name: ProcessName) => {
    const all = held(samples.filter((sample) => sample.calm === calm), name, 'rssAnon');
    return all.slice(all.length >> 1);
  };
  return PROCESSES.map((name): Track => ({
    what: `anonymous memory of the ${name} from the first calm to the last`, allowed: MEMORY[name], unit: 'MiB',
    samples: [...late(0, name), ...late(calms - 1, name)],
  }));
}

function throughout(samples: readonly Sample[]): Track[] {
  const settled = samples.filter(({ calm }) => calm !== undefined);
  return [
    ...PROCESSES.flatMap((name): Track[] => [
      { what: `open files of the ${name}`, allowed: isOfSession(name) ? FEW : SOME, samples: held(samples, name, 'fds') },
      { what: `threads of the ${name}`, allowed: isOfSession(name) ? FEW : SOME, samples: held(samples, name, 'threads') },
    ]),
    { what: 'files of the host', allowed: SOME, samples: samples.map(({ files }) => files.count) },
    { what: 'bytes in files of the host', allowed: FILE_BYTES, unit: 'MiB', samples: samples.map(({ files }) => files.bytes) },
    { what: 'overrides in use', allowed: OVERRIDES, samples: settled.map(({ overrides }) => overrides) },
    { what: 'bytes of the pool in use', allowed: POOL_BYTES, unit: 'MiB', samples: samples.map(({ usage }) => usage.totalBytes - usage.freeBytes) },
    { what: 'bytes behind the device', allowed: POOL_BYTES, unit: 'MiB', samples: samples.map(({ backed }) => backed) },
    { what: 'requests that the kernel waits for', allowed: REQUESTS, samples: settled.map(({ waiting }) => waiting ?? 0) },
  ];
}

function restartsInCalms(samples: readonly Sample[]): number {
  const begins = new Map<number, number>();
  let restarted = 0;
  for (const { calm, restarts } of samples) {
    if (calm === undefined) continue;
    if (!begins.has(calm)) begins.set(calm, restarts);
    restarted = Math.max(restarted, restarts - begins.get(calm)!);
  }
  return restarted;
}

function held(samples: readonly Sample[], name: ProcessName, what: 'rssAnon' | 'fds' | 'threads'): number[] {
  return samples.map((sample) => sample.held.get(name)?.[what]).filter((value) => value !== undefined);
}

const numbers = (count: number) => Array.from({ length: count }, (_, k) => k);
const show = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1));

import assert from 'node:assert/strict';
import { MIB } from '../../../src/famfs/units.ts';
import { Random } from '../../fuzz/random.ts';
import { judge } from '../../soak/judge.ts';
import { PROCESSES, type ProcessName, type Sample } from '../../soak/sampler.ts';

/** Samples of a storm or a calm. */
const PHASE = 60;
const PHASES = 4;

/** Figures of a sample that a test changes; the memory is that of the child, in MiB. */
interface Changed {
  memory?: number;
  fds?: number;
  threads?: number;
  files?: number;
  overrides?: number;
  used?: number;
  waiting?: number;
  restarts?: number;
}

/** Two storms and two calms; `change` is told the sample's number, its place in its phase, and the phase's number. */
function samples(change: (sample: number, place: number, phase: number) => Changed = () => ({}), of: ProcessName = 'child'): Sample[] {
  const random = new Random(1);
  return Array.from({ length: PHASES * PHASE }, (_, k): Sample => {
    const phase = Math.floor(k / PHASE);
    const { memory = 0, fds = 0, threads = 0, files = 0, overrides = 0, used = 0, waiting = 0, restarts = 0 } = change(k, k % PHASE, phase);
    const isCalm = phase % 2 === 1;
    return {
      at: 1000 * k,
      calm: isCalm ? phase >> 1 : undefined,
      held: new Map(PROCESSES.map((name) => [name, {
        pid: 1, rssAnon: (100 + random.below(3) + (name === of ? memory : 0)) * MIB,
        fds: 30 + (name === of ? fds : 0), threads: 10 + (name === of ? threads : 0),
      }])),
      files: { count: 5 + files, bytes: MIB },
      overrides: 100 + overrides + random.below(4),
      usage: { totalBytes: 512 * MIB, freeBytes: (256 - used) * MIB } as Sample['usage'],
      waiting: random.below(20) + waiting,
      operations: 1000 * k,
      restarts: (isCalm ? 10 * (phase + 1) : Math.floor(k / 6)) + restarts,
      backed: 128 * MIB,
    };
  });
}

describe('judgement of a soak', () => {
  it('finds nothing where everything is flat', () => {
    assert.deepEqual(judge(samples()).problems, []);
  });

  const leaks: Record<string, [found: RegExp, Parameters<typeof samples>[0], of?: ProcessName]> = {
    'memory that a process life loses': [/of the child in calm 2/, (_, place, phase) => (phase === 3 ? { memory: place / 2 } : {})],
    'memory that each replacement loses': [/of the supervisor from the first calm to the last/, (_, __, phase) => ({ memory: 10 * phase }), 'supervisor'],
    'files that are not closed': [/open files of the child/, (k) => ({ fds: k / 20 })],
    'threads that do not end': [/threads of the data plane/, (k) => ({ threads: k / 10 }), 'data plane'],
    'files of the host that nobody removes': [/files of the host/, (k) => ({ files: k / 10 })],
    'overrides of volumes that are gone': [/overrides in use/, (k) => ({ overrides: k / 4 })],
    'memory of the pool that does not come back': [/bytes of the pool in use/, (k) => ({ used: k / 2 })],
    'requests that nobody answers': [/requests that the kernel waits for/, (k) => ({ waiting: k })],
    'a serving process that ends in a calm': [/ended of themselves in a calm/, (k) => ({ restarts: k > 3.5 * PHASE ? 1 : 0 })],
  };
  for (const [what, [found, change, of]] of Object.entries(leaks)) {
    it(`names ${what}`, () => {
      const { problems } = judge(samples(change, of));
      assert.match(problems.join('\n'), found);
    });
  }
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import { MIB } from '../../src/famfs/units.ts';
import type { Application } from '../faults/application.ts';
import { Cycles } from '../faults/cycles.ts';
import type { LedgerVolume } from '../faults/ledger.ts';
import type { Random } from '../fuzz/random.ts';
import { until } from '../support/until.ts';
import { Blows } from './blows.ts';
import { runFio } from './fio.ts';
import { overridesIn } from './host-files.ts';
import { judge } from './judge.ts';
import { liveThrough } from './life-of-volume.ts';
import { intervalOf, phasesOf } from './plan.ts';
import { type Sample, type Sampled, takeSample } from './sampler.ts';
import { Scene } from './scene.ts';
import { Stalls } from './stalls.ts';
import { Waiting } from './waiting.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly random: Random;
  /** Whether fio is part of the load. */
  readonly fio: boolean;
  /** Told of each sample, and of the sums in the end. */
  readonly say: (line: string) => void;
}

/** Volumes that come and go, as many a second at most: the log must have room for all of them. */
const VOLUMES_A_SECOND = 4;
const AT_ONCE = 4;

/**
 * Everything at once on one mount for some minutes, with serving processes taken away in storms
 * and left alone in calms; answers what was wrong, which is nothing when all went well.
 */
export async function soak(options: SoakOptions): Promise<string[]> {
  const { minutes, random } = options;
  const scene = new Scene(Math.ceil(minutes * 60 * VOLUMES_A_SECOND), random);
  const problems = await scene.site.use(async () => {
    await scene.begin();
    return new Soak(scene, options).run();
  });
  for (const place of [join(scene.host.directory, 'sessions'), join(scene.host.directory, 'mounts')]) {
    if (existsSync(place) && readdirSync(place).length > 0) problems.push(`${place} holds ${readdirSync(place).join(', ')} in the end`);
  }
  return problems;
}

class Soak {
  readonly #scene: Scene;
  readonly #options: SoakOptions;
  readonly #blows: Blows;
  readonly #cycles: Cycles;
  readonly #stalls = new Stalls();
  readonly #samples: Sample[] = [];
  readonly #began = performance.now();
  readonly #applications = new Map<string, Application>();
  #calm: number | undefined;
  /** The time is over, or something is wrong: all stop. */
  #ended = false;
  #fioOperations = 0;

  constructor(scene: Scene, options: SoakOptions) {
    this.#scene = scene;
    this.#options = options;
    const { controller: { client }, host, ledger, random, root } = scene;
    this.#blows = new Blows(host, random);
    const { repeat } = this.#stalls;
    const use = (volume: LedgerVolume) => liveThrough({ host, client, repeat }, volume);
    this.#cycles = new Cycles({ client, roots: [root], ledger, random, atOnce: AT_ONCE, use, repeat });
  }

  async run(): Promise<string[]> {
    const { site, root, host, controller } = this.#scene;
    const pool = site.attach();
    const waiting = new Waiting(root);
    try {
      await this.#scene.startApplications(this.#applications);
      const sampled: Sampled = { host, controller, pool, device: site.device, waiting };
      const problems = await this.#load(sampled);
      problems.push(...await this.#sums());
      if (problems.length > 0) return problems; // volumes may be half-way through their lives
      if (waiting.now() !== undefined) await until(() => assert.equal(waiting.now(), 0, 'requests of nobody wait'));
      await this.#account();
      const verdict = judge(this.#samples);
      for (const line of verdict.lines) this.#options.say(line);
      return [...verdict.problems];
    } finally {
      for (const application of this.#applications.values()) application.kill();
      this.#stalls.close();
      waiting.close();
      pool.close();
    }
  }

  /** All the load at the same time, until it is over or one part fails; answers what failed. */
  async #load(sampled: Sampled): Promise<string[]> {
    const parts: Record<string, Promise<unknown>> = {
      'storms and calms': this.#phases(),
      'volumes': this.#cycles.cycle((number) => this.#mayMake(number)),
      'samples': this.#sample(sampled),
      ...(this.#options.fio ? { fio: runFio(this.#scene.fioFile, () => this.#ended).then((count) => { this.#fioOperations = count; }) } : {}),
    };
    const problems: string[] = [];
    await Promise.all(Object.entries(parts).map(([name, part]) => part.catch((error: Error) => {
      this.#options.say(`failed: ${name}: ${error.message}`); // what comes after it may fail of that
      problems.push(`${name}: ${error.message}`);
      this.#ended = true;
    })));
    return problems;
  }

  async #phases(): Promise<void> {
    let calms = 0;
    for (const { kind, endsAt } of phasesOf(this.#options.minutes)) {
      const over = () => this.#ended || this.#elapsed() > endsAt;
      if (kind === 'storm') await this.#blows.storm(over);
      else this.#calm = calms++;
      while (!over()) await sleep(100);
      this.#calm = undefined;
    }
    this.#ended = true;
  }

  /** Waits until it is time for that volume; false when the time is over. */
  async #mayMake(number: number): Promise<boolean> {
    const due = number / VOLUMES_A_SECOND * 1000;
    while (!this.#ended && this.#elapsed() < due) await sleep(50);
    return !this.#ended;
  }

  async #sample(sampled: Sampled): Promise<void> {
    const interval = intervalOf(this.#options.minutes);
    for (let next = interval; !this.#ended; next = Math.max(next + interval, this.#elapsed())) {
      while (!this.#ended && this.#elapsed() < next) await sleep(50);
      const calm = this.#calm;
      const sample = await takeSample(sampled, this.#elapsed(), calm);
      if (this.#calm !== calm) continue; // neither of the one nor of the other
      this.#options.say(this.#describe(sample, this.#samples.at(-1)));
      this.#samples.push(sample);
    }
  }

  /** What the applications count, and what they found wrong. */
  async #sums(): Promise<string[]> {
    const problems: string[] = [];
    for (const [name, application] of this.#applications) {
      const { operations, errors, mismatches, longestMs } = await application.end();
      this.#options.say(`${name}: ${operations} operations, ${errors.length} errors, ${mismatches.length} mismatches, the longest took ${Math.round(longestMs)} ms`);
      if (operations === 0) problems.push(`${name} did nothing`);
      for (const text of [...errors, ...mismatches]) problems.push(`${name}: ${text}`);
    }
    const { ledger, bytes, lateReads } = this.#cycles;
    this.#options.say(`volumes: ${ledger.created} made, ${ledger.deleted} deleted, ${Math.round(bytes / MIB)} MiB given and taken back, ${lateReads} late reads got ESTALE`);
    if (this.#options.fio) this.#options.say(`fio: ${this.#fioOperations} operations, all verified`);
    const { killed, upgraded } = this.#blows.given;
    this.#options.say(`serving processes: ${killed} killed, ${upgraded} upgraded`);
    const { count, longestMs, repeated } = this.#stalls;
    if (count > 0) this.#options.say(`the machine stood still: ${count} times, ${Math.round(longestMs)} ms at most; ${repeated} calls were made again`);
    if (killed === 0) problems.push('no serving process was killed');
    return problems;
  }

  /** Everything is deleted: then every byte comes back, every slot is that of a volume, and no override is left. */
  async #account(): Promise<void> {
    const { site, ledger, host } = this.#scene;
    await this.#scene.clearAway();
    await until(() => site.read((pool) => assert.equal(pool.usage().freeBytes, pool.usage().totalBytes, 'memory has not come back')));
    assert.deepEqual(fsck(site.device).problems, []);
    assert.equal(site.read((pool) => ledger.account(pool)), 0, 'slots guard, though no writer was killed');
    await until(() => assert.equal(overridesIn(host.directory), 0, 'overrides of deleted volumes are left'));
    this.#options.say('accounted for: every byte free, every slot that of a volume, no override left, fsck clean');
  }

  #describe(sample: Sample, before: Sample | undefined): string {
    const { at, calm, held, operations, restarts, waiting, usage } = sample;
    const sum = (what: 'rssAnon' | 'fds') => [...held.values()].reduce((total, one) => total + one[what], 0);
    const seconds = (at - (before?.at ?? 0)) / 1000;
    return [
      `${String(Math.floor(at / 60_000)).padStart(2)}:${String(Math.floor(at / 1000) % 60).padStart(2, '0')}`,
      calm === undefined ? 'storm ' : `calm ${calm + 1}`,
      `${operations} requests (${Math.round((operations - (before?.operations ?? 0)) / seconds)}/s)`,
      `anonymous ${[...held].map(([name, { rssAnon }]) => `${name} ${Math.round(rssAnon / MIB)}`).join(' + ')} = ${Math.round(sum('rssAnon') / MIB)} MiB`,
      `${sum('fds')} fds`, `${restarts} restarts`, `${this.#cycles.ledger.created} volumes made`,
      `${usage.slotsFree} slots free`, `${Math.round(usage.freeBytes / MIB)} MiB free`, `${waiting ?? '?'} waiting`,
    ].join(', ');
  }

  #elapsed(): number {
    return performance.now() - this.#began;
  }
}

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../../src/famfs/errors.ts';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { PoolWriter, type WriterIdentity } from '../../src/famfs/writer/writer.ts';
import { remove, shmFile } from '../harness/temp.ts';
import type { RecordingDevice } from '../support/recording-device.ts';
import { STEP, UNIT } from './image.ts';
import { judgeReaders, judgeReference, linesOf } from './judge.ts';
import { type LateProcess, type Outcome, watched } from './late-process.ts';
import { furniture } from './late-tasks.ts';
import { extentsOf, isFile, type Line, pathOf } from './lines.ts';
import { impatient } from './recovery.ts';
import { aFile, aVolume } from './story.ts';

/** More than a heartbeat. */
const BEAT_MS = 1200;

/** What the late writer still finds free, should it come to rule after all. */
const SPARE = 4 * UNIT;

/** Who takes part in a round. */
export interface Cast {
  readonly late: LateProcess;
  readonly lateHost: WriterIdentity;
  readonly host: WriterIdentity;
}

/**
 * One writer is paused in the middle of something, another takes over and works, and the first goes
 * on. Readers that were there before, that came while it was paused, and fresh ones look after each step.
 */
export class LateRound {
  readonly #file: string;
  readonly #device: RecordingDevice;
  readonly #readers: Replayer[] = [];
  readonly #contents = new Map<Line, number>();
  readonly #acknowledged = new Set<Line>();
  #writer: PoolWriter | undefined;
  #fills = 0;

  private constructor(file: string) {
    this.#file = file;
    this.#device = watched(file);
  }

  /** Plays a round on a copy of an image; `outcome` is what the late writer came to. */
  static async play(image: Buffer, { late, lateHost, host }: Cast, task: number, pauses: readonly number[]): Promise<{ round: LateRound; outcome: Outcome; paused: boolean }> {
    const file = shmFile('late');
    fs.writeFileSync(file, image);
    await late.prepare({ device: file, identity: lateHost, task, pauses });
    const round = new LateRound(file);
    round.#begin();
    let outcome = await late.begin();
    const paused = outcome === undefined;
    if (paused) await round.#succeed(host);
    for (let pause = 1; outcome === undefined; pause++) {
      outcome = await late.resume();
      round.#look(`when the late writer has gone on ${pause} times`);
    }
    if (paused) round.#judgeOutcome(outcome);
    return { round, outcome, paused };
  }

  /** Throws AssertionError unless the reference tools are content, which may take a heartbeat, and fsck. */
  async end(): Promise<void> {
    const lines = this.#look('at the end');
    try {
      judgeReference(this.#device, { trees: [lines], acknowledged: lines });
    } catch {
      await sleep(BEAT_MS);
      judgeReference(this.#device, { trees: [lines], acknowledged: lines });
    }
    assert.equal(fsck(this.#file).status, 0);
    this.#writer?.close();
    this.#device.close();
    remove(this.#file);
  }

  /** What is there before, and who reads it. */
  #begin(): void {
    const reader = this.#fresh();
    for (const line of linesOf(reader)) {
      const byte = furniture.get(pathOf(line));
      if (byte !== undefined) this.#contents.set(line, byte);
      if (pathOf(line).startsWith('keep')) this.#acknowledged.add(line);
    }
    this.#readers.push(reader);
    this.#look('before the pause');
  }

  /** Another writer takes over, deletes and gives back what it can, and uses nearly all memory. */
  async #succeed(host: WriterIdentity): Promise<void> {
    this.#readers.push(Replayer.create(this.#device));
    this.#look('at the pause');
    const pool = Pool.on(this.#device);
    const writer = this.#writer = await PoolWriter.acquire(pool, { identity: host, ...impatient });
    this.#look('after the take-over');
    this.#acknowledge(() => writer.create(aVolume('next', 2 * UNIT)));
    for (const path of ['victim/data', 'empty']) if (pool.stat(path) !== undefined) writer.remove(path);
    for (const { index } of writer.quarantined) await Array.fromAsync(writer.reclaim(index, STEP));
    this.#look('after memory was given back');
    this.#acknowledge(() => writer.create([aFile('fill', pool.allocator().free - SPARE)]));
    this.#look('when the pool is nearly full');
  }

  /** What was made is there for good, and its owner writes to it. */
  #acknowledge(create: () => unknown): void {
    const before = linesOf(this.#fresh());
    create();
    for (const line of linesOf(this.#fresh())) {
      if (before.has(line)) continue;
      this.#acknowledged.add(line);
      if (!isFile(line)) continue;
      const byte = 1 + (this.#fills++ % 250);
      this.#contents.set(line, byte);
      for (const { start, end } of extentsOf(line)) this.#device.view(start, end - start).fill(byte);
    }
  }

  /** At most one of both writers has come out as the ruling one. */
  #judgeOutcome({ result }: Outcome): void {
    const writer = this.#writer!;
    if (result === 'ok') {
      const made = linesOf(this.#fresh());
      assert([...made].some((line) => pathOf(line) === 'late'), 'what the late writer acknowledged is lost');
      assert.throws(() => writer.create([aFile('both', UNIT)]), (error: unknown) => error instanceof FamfsError && error.code === 'CLAIM_LOST');
      return;
    }
    assert.equal(result, 'CLAIM_LOST', 'the late writer failed otherwise');
    writer.mustRule();
  }

  #fresh(): Replayer {
    return Replayer.create(this.#device);
  }

  /** All readers look. Throws AssertionError when one sees anything that may not be. */
  #look(when: string): Set<Line> {
    try {
      return judgeReaders(this.#device, this.#readers, this.#acknowledged, this.#contents);
    } catch (error) {
      throw new Error(`${when}: ${(error as Error).message}`, { cause: error });
    }
  }
}

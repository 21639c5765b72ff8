import assert from 'node:assert/strict';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { type AcquireOptions, type NewEntry, PoolWriter, type WriterIdentity } from '../../src/famfs/writer/writer.ts';
import type { RecordingDevice } from '../support/recording-device.ts';
import { STEP } from './image.ts';
import { type Allowed, type Despite, judge, linesOf } from './judge.ts';
import { both, extentsOf, isFile, type Line, type Lines, minus, pathOf, same, text } from './lines.ts';
import { type Recording, recordStores } from './recording.ts';
import { goesOn } from './recovery.ts';

/**
 * Writers at work on a device in memory, and what they have acknowledged: each thing they do is
 * recorded, with the trees that a reader may see while it is done.
 */
export class Story {
  readonly device: RecordingDevice;
  readonly recordings: Recording[] = [];
  /** What a reader sees when nothing is under way. */
  #tree: Lines;
  readonly #contents: Map<Line, number>;
  #fills = 0;
  #despite: Despite | undefined;

  /** Goes on with a device that somebody left in the middle of something. */
  constructor(device: RecordingDevice, contents: ReadonlyMap<Line, number> = new Map()) {
    this.device = device;
    this.#contents = new Map(contents);
    this.#tree = linesOf(Replayer.create(device));
  }

  get tree(): Lines {
    return this.#tree;
  }

  get contents(): ReadonlyMap<Line, number> {
    return this.#contents;
  }

  /** Takes the claim; readers see the same tree throughout. `acknowledged`: what a lagging tool has to see. */
  async takeOver(name: string, host: WriterIdentity, options: Partial<AcquireOptions> = {}, acknowledged = this.#tree): Promise<PoolWriter> {
    const pool = Pool.on(this.device);
    return this.record(name, [], () => PoolWriter.acquire(pool, { identity: host, ...options }), acknowledged);
  }

  /** Makes a batch, whose files are written to once it is acknowledged. */
  async create(name: string, writer: PoolWriter, batch: readonly NewEntry[]): Promise<void> {
    await this.record(name, batch.map(({ path }) => path), () => void writer.create(batch));
    for (const line of this.#tree) {
      if (isFile(line) && !this.#contents.has(line)) this.fill(line, 0x41 + (this.#fills++ % 64));
    }
  }

  async remove(name: string, writer: PoolWriter, path: string): Promise<void> {
    const force = this.#despite === 'refused entries'; // they share its memory
    await this.record(name, [path], () => writer.remove(path, { force }));
  }

  /** Gives all quarantined memory back, as once every member has acknowledged. */
  async giveBack(name: string, writer: PoolWriter): Promise<void> {
    const candidates = writer.quarantined;
    assert(candidates.length > 0, `${name}: nothing is quarantined`);
    await this.record(name, [], async () => {
      for (const { index } of candidates) await Array.fromAsync(writer.reclaim(index, STEP));
    });
  }

  /** A late writer has stored something: until it is settled, the reference tools may see it. */
  afterLateStores(): void {
    this.#despite = 'late stores';
  }

  settled(): void {
    this.#despite = undefined;
  }

  /** Another program has written entries that are refused. */
  withRefusedEntries(): void {
    this.#despite = 'refused entries';
  }

  /** Writes a file's memory, as an application does. */
  fill(line: Line, byte: number): void {
    for (const { start, end } of extentsOf(line)) this.device.view(start, end - start).fill(byte);
    this.#contents.set(line, byte);
  }

  /** Records work during which the tree changes by these paths alone, at once. */
  async record<T>(name: string, paths: readonly string[], work: () => T | Promise<T>, acknowledged?: Lines): Promise<T> {
    const { before, steps, result } = await recordStores(name, this.device, work);
    const old = this.#tree;
    const now = this.#tree = linesOf(Replayer.create(this.device));
    const changed = [...minus(old, now), ...minus(now, old)].map(pathOf);
    assert.deepEqual(changed.sort(), [...paths].sort(), `${name} changed something else:\n${text(now)}`);
    const allowed: Allowed = {
      trees: same(old, now) ? [now] : [old, now],
      acknowledged: acknowledged ?? both(old, now),
      contents: new Map(this.#contents),
      ...(this.#despite === undefined ? {} : { despite: this.#despite }),
    };
    this.recordings.push({
      name, before, steps, states: allowed.trees.length,
      follow: (device) => Replayer.create(device),
      judge: (device, following, atRest) => judge(device, allowed, following, atRest),
      goesOn: (device, known) => goesOn(device, known, allowed.despite),
    });
    return result;
  }
}

export const aDirectory = (path: string): NewEntry => ({ kind: 'directory', path, mode: 0o755, uid: 0, gid: 0 });
export const aFile = (path: string, size: number): NewEntry => ({ kind: 'file', path, size, mode: 0o644, uid: 0, gid: 0 });
/** A volume as CSI makes it: both at once. */
export const aVolume = (name: string, size: number): NewEntry[] => [aDirectory(name), aFile(`${name}/data`, size)];

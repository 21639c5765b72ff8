import { Pool } from '../../src/famfs/pool/pool.ts';
import { PoolWriter, type WriterIdentity } from '../../src/famfs/writer/writer.ts';
import { fillRanges } from '../support/memory-bytes.ts';
import type { RecordingDevice } from '../support/recording-device.ts';
import { STEP, UNIT } from './image.ts';
import { impatient } from './recovery.ts';
import { aDirectory, aVolume } from './story.ts';

/** What a writer does that is paused meanwhile. */
export interface LateTask {
  readonly title: string;
  /** How its predecessor left the pool; none at all where there is no such word. */
  readonly former?: 'stopped' | 'paused' | 'died in mid-batch';
  /** Has hundreds of stores. */
  readonly long?: true;
  /** Prepares the task, unpaused, and answers what is to be paused. */
  readonly prepare: (device: RecordingDevice, identity: WriterIdentity) => Promise<() => void | Promise<void>>;
}

/** Bytes of a file that is zeroed in two steps. */
const LARGE = STEP + 8 * UNIT;

/** What fills the files that are on every pool before. */
export const furniture: ReadonlyMap<string, number> = new Map([['keep/data', 0xee], ['victim/data', 0xdd]]);

/** Makes them, and an empty directory. */
export function furnish(writer: PoolWriter): void {
  writer.create([...aVolume('keep', 3 * UNIT), aDirectory('empty')]);
  writer.create(aVolume('victim', LARGE));
}

/** Writes the files, as applications do. */
export function fillFurniture({ view, memory }: Pool): void {
  for (const [path, byte] of furniture) {
    fillRanges(memory, view.extents(view.resolve(path)), byte);
  }
}

/** A task of a writer that rules already. */
const ruling = (work: (writer: PoolWriter) => void | Promise<void>, before: (writer: PoolWriter) => void = () => {}): LateTask['prepare'] => async (device, identity) => {
  const writer = await PoolWriter.acquire(Pool.on(device), { identity });
  furnish(writer);
  fillFurniture(writer.pool);
  before(writer);
  return () => work(writer);
};

/** The task of taking over from whoever left the pool, and of appending then. */
const taking: LateTask['prepare'] = (device, identity) => {
  const pool = Pool.on(device);
  return Promise.resolve(async () => {
    const writer = await PoolWriter.acquire(pool, { identity, ...impatient });
    writer.create(aVolume('late', 2 * UNIT));
  });
};

export const lateTasks: readonly LateTask[] = [
  { title: 'an append of a volume', long: true, prepare: ruling((writer) => void writer.create(aVolume('late', 2 * UNIT))) },
  {
    title: 'an append of four entries',
    long: true,
    prepare: ruling((writer) => void writer.create([...aVolume('late', UNIT), ...aVolume('later', UNIT)])),
  },
  { title: 'a deletion of a file', prepare: ruling((writer) => void writer.remove('victim/data')) },
  { title: 'a deletion of a directory', prepare: ruling((writer) => void writer.remove('empty')) },
  {
    title: 'a reclaim',
    prepare: ruling(async (writer) => {
      for (const { index } of writer.quarantined) await Array.fromAsync(writer.reclaim(index, STEP));
      writer.create(aVolume('late', 2 * UNIT)); // what is done when it is noticed is no harm; the next call fails
    }, (writer) => void writer.remove('victim/data')),
  },
  { title: 'a take-over from a writer that is stopped', former: 'stopped', long: true, prepare: taking },
  { title: 'a take-over from one that may not be', former: 'paused', long: true, prepare: taking },
  { title: 'a take-over from one that died in mid-batch', former: 'died in mid-batch', long: true, prepare: taking },
];

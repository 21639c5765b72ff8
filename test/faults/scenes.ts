import type { Random } from '../fuzz/random.ts';
import { formattings } from './formatting.ts';
import { apply, copyOf, emptyPool, STEP, UNIT } from './image.ts';
import type { Recording } from './recording.ts';
import { impatient, newHost } from './recovery.ts';
import { refused, restored, wrapped } from './scenes-rare.ts';
import { aDirectory, aFile, aVolume, Story } from './story.ts';

/** Something that writers do, as recordings of all its parts. */
export interface Scene {
  readonly title: string;
  /** `share`: of the many cases of a vast scene, the share to play. */
  readonly play: (random: Random, share: number) => AsyncGenerator<Recording>;
  /** Has a hundred times as many stores as the others. */
  readonly vast?: true;
  /** Cuts are of a whole device of ordinary size. */
  readonly slow?: true;
}

const SIZE = { slots: 64, units: 256 };
/** A file that is zeroed in three steps. */
const LARGE = 80 * UNIT;

export const scenes: readonly Scene[] = [
  { title: 'formattings', play: formattings, slow: true },
  { title: 'appends, deletions and clean stops', play: ordinary },
  { title: 'take-overs with guards, and without any more', play: guarded },
  { title: 'memory given back and used again', play: reclaimed },
  { title: 'take-overs of scrubs that were given up', play: abandoned },
  { title: 'take-overs when the ring of claims is gone round', play: wrapped },
  { title: 'heartbeats that restore', play: restored },
  { title: 'deletions with which refused entries collide', play: refused },
  { title: 'take-overs from writers that died in mid-batch', play: diedInMidBatch, vast: true },
];

/** A writer's ordinary day. */
async function* ordinary(): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const writer = await story.takeOver('the first claim of a pool', newHost('first'));
  await story.create('a directory', writer, [aDirectory('a')]);
  await story.create('a file', writer, [aFile('a/b', 3 * UNIT)]);
  await story.create('a volume', writer, aVolume('v', 5 * UNIT));
  await story.create('a batch of four', writer, [...aVolume('w', UNIT), ...aVolume('x', 7 * UNIT)]);
  await story.remove('a file quarantined', writer, 'v/data');
  await story.remove('a directory voided', writer, 'v');
  await story.create('a volume after a deletion', writer, aVolume('v', 2 * UNIT));
  await story.record('a clean stop', [], () => writer.close());
  const next = await story.takeOver('a claim after a clean stop', newHost('second'));
  await story.create('a volume of the second writer', next, aVolume('y', UNIT));
  next.close();
  yield* story.recordings;
}

/** Writers that are not known to be stopped are followed by others, at last by one that knows them all stopped. */
async function* guarded(): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const writers = [await story.takeOver('the first claim', newHost('first'))];
  await story.create('a volume', writers[0], aVolume('v', 3 * UNIT));
  for (const name of ['second', 'third']) {
    const writer = await story.takeOver(`a claim of the ${name}, with guards`, newHost(name), impatient);
    await story.create(`a volume of the ${name}`, writer, aVolume(name, 2 * UNIT));
    await story.remove(`a file deleted by the ${name}`, writer, `${name}/data`);
    writers.push(writer);
  }
  const last = await story.takeOver('a claim that knows all stopped, over guards', newHost('last'), { assumeStopped: true });
  await story.create('a volume of the last', last, aVolume('last', UNIT));
  for (const writer of [...writers, last]) writer.close();
  yield* story.recordings;
}

/** Deleted files are zeroed and voided, and their memory goes to others. */
async function* reclaimed(): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const writer = await story.takeOver('a claim', newHost('writer'));
  await story.create('a large volume', writer, aVolume('large', LARGE));
  await story.create('a volume', writer, aVolume('small', 3 * UNIT));
  for (const name of ['large', 'small']) {
    await story.remove(`${name} quarantined`, writer, `${name}/data`);
    await story.giveBack(`the memory of ${name} zeroed and given back`, writer);
    await story.create(`a volume over the memory of ${name}`, writer, aVolume(`${name}-again`, LARGE));
  }
  writer.close();
  yield* story.recordings;
}

/** Writers that zero memory are overruled before its end: what they named waits until they are known to be stopped. */
async function* abandoned(): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const first = await story.takeOver('a claim', newHost('first'));
  for (const name of ['a', 'b']) {
    await story.create(`volume ${name}`, first, aVolume(name, LARGE));
    await story.remove(`${name} quarantined`, first, `${name}/data`);
  }
  const [{ index }, other] = first.quarantined;
  await story.record('a scrub begun', [], async () => void await first.reclaim(index, STEP).next());
  const second = await story.takeOver('a claim over a scrub that may go on', newHost('second'), impatient);
  await story.record('a scrub begun by the second', [], async () => void await second.reclaim(other.index, STEP).next());
  const third = await story.takeOver('a claim over two scrubs that may go on', newHost('third'), impatient);
  await story.create('a volume beside them', third, aVolume('c', UNIT));
  const last = await story.takeOver('a claim that knows all stopped', newHost('last'), { assumeStopped: true });
  await story.giveBack('the scrubs begun again', last);
  await story.create('a volume over their memory', last, aVolume('d', 2 * LARGE));
  for (const writer of [first, second, third, last]) writer.close();
  yield* story.recordings;
}

/**
 * A batch of four is cut after every store; from each cut, writers take over that know the dead one
 * stopped or do not, and append a shorter batch over what it left.
 */
async function* diedInMidBatch(random: Random, share: number): AsyncGenerator<Recording> {
  const story = new Story(emptyPool(SIZE));
  const writer = await story.takeOver('a claim', newHost('dead'));
  await story.create('a volume', writer, aVolume('v', 3 * UNIT));
  const acknowledged = story.tree;
  await story.record('a batch of four', ['w', 'w/data', 'x', 'x/data'], () => void writer.create([...aVolume('w', UNIT), ...aVolume('x', 7 * UNIT)]));
  writer.close();
  const { before, steps } = story.recordings.at(-1)!;
  const hosts = [newHost('knows'), newHost('does-not-know')];
  const image = Buffer.from(before);
  const stride = Math.round(1 / share);
  const offset = random.below(stride);
  for (const [k, step] of steps.entries()) {
    apply(image, step);
    if (step.kind === 'fence' || k % stride !== offset) continue;
    for (const [h, options] of [{ assumeStopped: true }, impatient].entries()) {
      const after = new Story(copyOf(image), story.contents);
      const where = `after store ${k + 1} of a batch, ${h === 0 ? 'all stopped' : 'with guards'}`;
      const next = await after.takeOver(`a claim ${where}`, hosts[h], options, acknowledged);
      await after.create(`a directory ${where}`, next, [aDirectory('next')]);
      next.close();
      yield* after.recordings;
    }
  }
}

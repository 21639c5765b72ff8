import assert from 'node:assert/strict';
import type { Replayer } from '../../src/famfs/log/replayer.ts';
import type { Random } from '../fuzz/random.ts';
import type { RecordingDevice, Step } from '../support/recording-device.ts';
import { apply, copyOf } from './image.ts';
import type { Recording } from './recording.ts';

/** Asked about the image after a cut, of which a crash or a reader at that moment sees the bytes. */
export type Question = (device: RecordingDevice, recording: Recording) => Promise<void>;

/** Cuts of a bulk store that are looked at where every prefix is. */
const BULK_CUTS = 4;

/**
 * Cuts a recording after every step, and asks all readers each time, among them one that follows:
 * from the moment the new state is seen it is seen for good, and at the end it is. Answers the number of cuts.
 */
export async function cutEverywhere(recording: Recording, random: Random, question?: Question): Promise<number> {
  const { steps, states } = recording;
  const device = copyOf(recording.before);
  const following = recording.follow(device);
  let seen = 0;
  let cuts = 0;
  const look = async (where: string, follow?: Replayer, atRest = false) => {
    cuts++;
    await told(`${recording.name}, cut ${where}`, async () => {
      const which = recording.judge(device, follow, atRest);
      assert(which >= seen, 'the old state came back');
      seen = which;
      await question?.(device, recording);
    });
  };
  await look('before the first store', following);
  for (const [k, step] of steps.entries()) {
    if (step.kind === 'fence') continue;
    if (step.kind === 'zero') {
      for (let n = 0; n < BULK_CUTS; n++) {
        const undo = apply(device.bytes, partOf(step, random));
        await look(`in the middle of store ${k + 1} of ${steps.length}`);
        undo();
      }
    }
    apply(device.bytes, step);
    await look(`after store ${k + 1} of ${steps.length}`, following);
  }
  await look('nowhere', following, true);
  assert.equal(seen, states - 1, `${recording.name}: the new state is not seen at the end`);
  return cuts;
}

/** What may become visible in any order: the stores from one ordering point to the next. */
interface Span {
  readonly first: number;
  readonly stores: readonly Exclude<Step, { kind: 'fence' }>[];
}

/**
 * Cuts a recording at `count` random places, each with a random part of what was stored since the
 * last ordering point. A reader that saw the state before follows. Answers the number of cuts.
 */
export async function cutAtRandom(recording: Recording, random: Random, count: number, question?: Question): Promise<number> {
  const spans = spansOf(recording.steps).filter(({ stores }) => stores.length > 1 || stores[0].kind === 'zero');
  if (spans.length === 0) return 0;
  const device = copyOf(recording.before);
  let cuts = 0;
  let next = 0;
  for (const [s, span] of spans.entries()) {
    for (; next < span.first; next++) apply(device.bytes, recording.steps[next]);
    const share = Math.floor((count * (s + 1)) / spans.length) - Math.floor((count * s) / spans.length);
    for (let n = 0; n < share; n++) {
      cuts++;
      const following = random.chance(2) ? recording.follow(device) : undefined;
      const parts = someOf(span.stores, random);
      const undo = parts.map((step) => apply(device.bytes, step)).reverse();
      const where = `${recording.name}, with ${parts.length} of the ${span.stores.length} stores from ${span.first + 1} on`;
      await told(`${where} (${parts.map(({ at }) => at).join(' ')})`, async () => {
        recording.judge(device, following, false);
        await question?.(device, recording);
      });
      for (const back of undo) back();
    }
  }
  return cuts;
}

function spansOf(steps: readonly Step[]): Span[] {
  const spans: { first: number; stores: Exclude<Step, { kind: 'fence' }>[] }[] = [{ first: 0, stores: [] }];
  for (const [k, step] of steps.entries()) {
    const isOrdered = step.kind === 'fence' || (step.kind === 'word' && step.ordered);
    if (isOrdered && spans.at(-1)!.stores.length > 0) spans.push({ first: k, stores: [] });
    if (step.kind === 'fence') continue;
    if (spans.at(-1)!.stores.length === 0) spans.splice(-1, 1, { first: k, stores: [] });
    spans.at(-1)!.stores.push(step);
  }
  return spans.filter(({ stores }) => stores.length > 0);
}

/** A random choice of stores: few, half or most of them, a run of them or all but a run; bulk stores in part. */
function someOf(stores: Span['stores'], random: Random): Exclude<Step, { kind: 'fence' }>[] {
  const start = random.below(stores.length);
  const end = start + 1 + random.below(stores.length - start);
  const likely = random.pick([1, 8, 15]);
  const isChosen = random.pick<(k: number) => boolean>([
    () => random.below(16) < likely, (k) => k >= start && k < end, (k) => k < start || k >= end, (k) => k !== start,
  ]);
  const chosen = stores.filter((_, k) => isChosen(k));
  return chosen.map((step) => (step.kind === 'zero' && random.chance(2) ? partOf(step, random) : step));
}

/** A piece of a bulk store, in whole words. */
function partOf({ at, length }: { at: number; length: number }, random: Random): Exclude<Step, { kind: 'fence' }> {
  const words = Math.floor(length / 8);
  const from = random.below(words);
  return { kind: 'zero', at: at + from * 8, length: (1 + random.below(words - from)) * 8 };
}

/** Names the cut in what goes wrong. */
async function told(where: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

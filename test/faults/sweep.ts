import type { Random } from '../fuzz/random.ts';
import { cutAtRandom, cutEverywhere, type Question } from './cuts.ts';
import type { Recording } from './recording.ts';

/** How thoroughly recordings are cut. */
export interface Depth {
  readonly random: Random;
  /** Random parts of what is stored between two ordering points, for each store of a recording. */
  readonly partsPerStore: number;
  /** After one prefix in so many, and one part in fifty times as many, a successor has to be able to go on. */
  readonly successorEvery: number;
}

export interface Swept {
  recordings: number;
  stores: number;
  prefixes: number;
  parts: number;
  successors: number;
}

/** Cuts every recording everywhere and at random. Throws AssertionError at the first cut that is not right. */
export async function sweep(recordings: AsyncIterable<Recording>, { random, partsPerStore, successorEvery }: Depth): Promise<Swept> {
  const swept: Swept = { recordings: 0, stores: 0, prefixes: 0, parts: 0, successors: 0 };
  const question = (every: number): Question => async (device, recording) => {
    if (!random.chance(every)) return;
    await recording.goesOn(device, swept.successors++ % 2 === 0);
  };
  for await (const recording of recordings) {
    swept.recordings++;
    swept.stores += recording.steps.filter(({ kind }) => kind !== 'fence').length;
    swept.prefixes += await cutEverywhere(recording, random, question(successorEvery));
    const parts = Math.ceil(partsPerStore * recording.steps.length);
    swept.parts += await cutAtRandom(recording, random, parts, question(50 * successorEvery));
  }
  return swept;
}

export const sweptText = ({ recordings, stores, prefixes, parts, successors }: Swept): string =>
  `${recordings} recordings, ${stores} stores: ${prefixes} prefixes, ${parts} parts, ${successors} successors`;

import { scenes } from './scenes.ts';
import { randomFor, seed } from './seed.ts';
import { sweep } from './sweep.ts';

describe(`readers see the old or the new state at every cut (FAMFS_FAULTS_SEED=${seed})`, () => {
  for (const { title, play, vast, slow } of scenes) {
    it(`of ${title}`, async () => {
      const random = randomFor(title);
      const depth = { random, partsPerStore: 0.5, successorEvery: vast || slow ? 50 : 8 };
      await sweep(play(random, 0.02), depth);
    });
  }
});

import { scribbleAtRandom } from './hostile.ts';
import { expectNames } from './named-damage.ts';
import { randomFor, seed } from './seed.ts';

const HOSTILE_MS = 60_000;

describe(`a host that scribbles over the metadata of a pool (FAMFS_FAULTS_SEED=${seed})`, () => {
  it('is named, wherever it does so, and forgotten when it is put right', async () => {
    await expectNames(randomFor('named damage'));
  });

  it(`crashes nobody and spoils no staged volume in ${HOSTILE_MS / 1000} s`, async () => {
    await scribbleAtRandom(HOSTILE_MS, randomFor('hostile'));
  });
});

import { killControllers } from './kills.ts';
import { randomFor, seed } from './seed.ts';

const KILLS = 20;

describe(`a controller that is killed in the middle of its stores (FAMFS_FAULTS_SEED=${seed})`, () => {
  it(`loses nothing that it acknowledged, ${KILLS} times one after the other`, async () => {
    await killControllers(KILLS, randomFor('kills'));
  });
});

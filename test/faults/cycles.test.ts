import { cycleVolumes } from './cycles.ts';
import { randomFor, seed } from './seed.ts';

const CYCLES = 500;

describe(`memory that is used again and again by two hosts (FAMFS_FAULTS_SEED=${seed})`, () => {
  it(`never shows a byte of an earlier volume, and all comes back after ${CYCLES} volumes`, async () => {
    await cycleVolumes(CYCLES, randomFor('cycles'));
  });
});

import { deepEqual } from 'node:assert/strict';
import { soak } from '../soak/soak.ts';
import { randomFor, seed } from './seed.ts';

const MINUTES = 2;

describe(`a mount under everything at once (FAMFS_FAULTS_SEED=${seed})`, () => {
  it(`has flat memory, gives right answers and leaves nothing, over ${MINUTES} minutes with kills and upgrades`, async () => {
    const lines: string[] = [];
    const problems = await soak({ minutes: MINUTES, random: randomFor('soak'), fio: false, say: (line) => lines.push(line) });
    deepEqual(problems, [], lines.join('\n'));
  });
});

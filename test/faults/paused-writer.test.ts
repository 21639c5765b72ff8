import assert from 'node:assert/strict';
import { pauseEverywhere } from './late-sweep.ts';
import { lateTasks } from './late-tasks.ts';
import { randomFor, seed } from './seed.ts';

/** Of the points between the stores of a take-over or a batch, of which there are hundreds. */
const SHARE = 0.15;

describe(`a writer that is stopped between two stores, and goes on after another took over (FAMFS_FAULTS_SEED=${seed})`, () => {
  for (const task of lateTasks) {
    it(`does no harm in ${task.title}`, async () => {
      const { pauses } = await pauseEverywhere(task, randomFor(task.title), task.long ? SHARE : 1);
      assert(pauses > 0);
    });
  }
});

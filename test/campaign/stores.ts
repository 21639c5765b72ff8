/**
 * Every cut of what writers store, and 100,000 random parts or more for each scene; then a writer that is
 * stopped at every point of all that it does.
 */
import { pauseEverywhere } from '../faults/late-sweep.ts';
import { lateTasks } from '../faults/late-tasks.ts';
import { scenes } from '../faults/scenes.ts';
import { randomFor, seed } from '../faults/seed.ts';
import { sweep, sweptText } from '../faults/sweep.ts';
import { Parts } from './parts.ts';

/** So many for each store: a scene has 900 or more, a vast one some 200,000. */
const PARTS = { scene: 115, vast: 0.5 };

/** Whether every cut was right, and no late writer did harm. */
export async function run(): Promise<boolean> {
  console.log(`FAMFS_FAULTS_SEED=${seed}`);
  const parts = new Parts();
  for (const { title, play, vast, slow } of scenes) {
    const random = randomFor(title);
    const depth = { random, partsPerStore: vast ? PARTS.vast : PARTS.scene, successorEvery: vast ? 50 : slow ? 20 : 1 };
    await parts.tell(title, async () => sweptText(await sweep(play(random, 1), depth)));
  }
  for (const task of lateTasks) {
    await parts.tell(task.title, async () => `paused at ${(await pauseEverywhere(task, randomFor(task.title), 1)).pauses} points`);
  }
  return parts.sound;
}

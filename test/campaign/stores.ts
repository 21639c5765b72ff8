/** Every cut of what writers store, and 100,000 random parts for each scene. */
import { scenes } from '../faults/scenes.ts';
import { randomFor, seed } from '../faults/seed.ts';
import { sweep, sweptText } from '../faults/sweep.ts';

/** So many for each store: a scene has some 2,500 stores, a vast one some 400,000. */
const PARTS = { scene: 45, vast: 0.5 };

/** Whether every cut was right. */
export async function run(): Promise<boolean> {
  console.log(`FAMFS_FAULTS_SEED=${seed}`);
  let sound = true;
  for (const { title, play, vast } of scenes) {
    const random = randomFor(title);
    const partsPerStore = vast ? PARTS.vast : PARTS.scene;
    try {
      const swept = await sweep(play(random, 1), { random, partsPerStore, successorEvery: vast ? 50 : 1 });
      console.log(`ok      ${title}: ${sweptText(swept)}`);
    } catch (error) {
      sound = false;
      console.log(`WRONG   ${title}: ${(error as Error).message}`);
    }
  }
  return sound;
}

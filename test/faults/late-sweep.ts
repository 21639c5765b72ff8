import type { Random } from '../fuzz/random.ts';
import { apply, emptyPool } from './image.ts';
import { LateProcess } from './late-process.ts';
import { type Cast, LateRound } from './late-round.ts';
import { fillFurniture, furnish, type LateTask, lateTasks } from './late-tasks.ts';
import { newHost } from './recovery.ts';
import { aVolume, Story } from './story.ts';

/** Rounds whose pools are open at once: together they wait for a heartbeat. */
const GROUP = 100;
const SIZE = { slots: 64, units: 64 };

/**
 * Pauses a writer at every point of a task, or at a share of them drawn at random; after every
 * second pause, a second time a little later. Answers the numbers of points and of pauses.
 */
export async function pauseEverywhere(task: LateTask, random: Random, share: number): Promise<{ points: number; pauses: number }> {
  const cast: Cast = { late: new LateProcess(), lateHost: newHost('late'), host: newHost('host') };
  const number = lateTasks.indexOf(task);
  try {
    const unpaused = await LateRound.play(await imageFor(task, random), cast, number, []);
    await unpaused.round.end();
    const { points } = unpaused.outcome;
    let rounds: LateRound[] = [];
    let pauses = 0;
    const play = async (point: number, more: readonly number[]) => {
      try {
        return await LateRound.play(await imageFor(task, random), cast, number, [point, ...more]);
      } catch (error) {
        throw new Error(`${task.title}, paused at point ${[point, ...more].join(' and ')} of ${points}: ${(error as Error).message}`, { cause: error });
      }
    };
    const end = async () => {
      await Promise.all(rounds.map((round) => round.end()));
      rounds = [];
    };
    for (let point = 0; point < points; point++) {
      if (random.below(1000) >= share * 1000) continue;
      const more = random.chance(2) ? [] : [point + 1 + random.below(12)];
      rounds.push((await play(point, more)).round);
      pauses++;
      if (rounds.length === GROUP) await end();
    }
    await end();
    return { points, pauses };
  } finally {
    await cast.late.end();
  }
}

/** The pool as the late writer finds it. */
async function imageFor({ former }: LateTask, random: Random): Promise<Buffer> {
  const device = emptyPool(SIZE);
  if (former === undefined) return device.bytes;
  const story = new Story(device);
  const writer = await story.takeOver('a claim', newHost('former'));
  await story.record('furniture', ['empty', 'keep', 'keep/data', 'victim', 'victim/data'], () => furnish(writer));
  fillFurniture(writer.pool);
  if (former === 'stopped') writer.close();
  if (former !== 'died in mid-batch') return device.bytes;
  await story.record('a batch', ['half', 'half/data'], () => void writer.create(aVolume('half', 4096)));
  const { before, steps } = story.recordings.at(-1)!;
  for (const step of steps.slice(0, random.below(steps.length))) apply(before, step);
  return before;
}

/** The models at sizes that take too long for every run: three writers together with readers, members and reclaim. */
import { check, discard, type Effort } from '../model/checker.ts';
import { large, type LargeConfiguration } from '../model/configurations.ts';

const all: Effort = { megabytes: 10_000, seconds: 1800, optimise: true };
const sample: Effort = { ...all, bitstateMinutes: 8 };

/** Whether all invariants hold in all configurations. */
export async function run(): Promise<boolean> {
  let sound = true;
  for (const configuration of large) sound = await holds(configuration) && sound;
  return sound;
}

async function holds(configuration: LargeConfiguration): Promise<boolean> {
  const { name, defines, sampled = false } = configuration;
  console.log(`${name} (${Object.entries(defines).map(([key, value]) => `${key}=${value}`).join(' ')})`);
  try {
    const verdict = await check(configuration, sampled ? sample : all);
    discard(verdict);
    const { states, seconds, megabytes, violated } = verdict;
    const how = sampled ? 'states, a sample by hashes' : 'states, all there are';
    console.log(`   ${states.toLocaleString('en')} ${how}; ${Math.round(seconds)} s, ${Math.round(megabytes)} MB: ${violated ?? 'holds'}`);
    return violated === undefined;
  } catch (error) {
    console.log(`   ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

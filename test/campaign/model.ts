/** The models at sizes that take too long for every run: three writers together with readers, members and reclaim. */
import { check, discard, type Effort } from '../model/checker.ts';
import { large, type LargeConfiguration } from '../model/configurations.ts';

const effort: Effort = { megabytes: 10_000, seconds: 1500, optimise: true };

/** Whether all invariants hold in all configurations. */
export async function run(): Promise<boolean> {
  let sound = true;
  for (const configuration of large) sound = await one(configuration) && sound;
  return sound;
}

async function one(configuration: LargeConfiguration): Promise<boolean> {
  const { name, defines, bitstate } = configuration;
  const sizes = Object.entries(defines).map(([key, value]) => `${key}=${value}`).join(' ');
  console.log(`${name} (${sizes || 'as it is'})`);
  const verdict = await check(configuration, bitstate ? { ...effort, bitstate } : effort);
  discard(verdict);
  const { states, seconds, megabytes, violated } = verdict;
  const how = bitstate ? 'states, not exhaustive' : 'states, all there are';
  console.log(`   ${states.toLocaleString('en')} ${how}; ${Math.round(seconds)} s, ${Math.round(megabytes)} MB: ${violated ?? 'holds'}`);
  return violated === undefined;
}

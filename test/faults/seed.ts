import { randomInt } from 'node:crypto';
import { Random } from '../fuzz/random.ts';

/** Another one in every run; FAMFS_FAULTS_SEED gives one again. */
export const seed = Number(process.env['FAMFS_FAULTS_SEED'] ?? randomInt(2 ** 31));

/** The random numbers of a test, whatever ran before it. */
export function randomFor(title: string): Random {
  let mixed = seed;
  for (const char of title) mixed = Math.imul(mixed ^ char.codePointAt(0)!, 0x9e3779b1);
  return new Random(mixed);
}

/**
 * An application that asks for names and attributes without a pause, of many directories with one
 * file each, and checks every answer: `storm-client.ts ROOT PREFIX SEED`.
 */
import { open, readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { repeatUntilInputEnds } from '../faults/tally.ts';
import { Random } from '../fuzz/random.ts';

/** Volumes asked for at the same time. */
const AT_ONCE = 8;
/** One in so many times, a directory of all is listed, or times are set. */
const SELDOM = 16;

interface Known {
  readonly directory: string;
  readonly inodes: readonly number[];
  readonly size: number;
  /** Seconds since the epoch. */
  mtime: number;
}

const [root, prefix, seed] = process.argv.slice(2) as [string, string, string];
const random = new Random(Number(seed));
const ours = async () => (await readdir(root)).filter((name) => name.startsWith(prefix)).sort();
const names = await ours();
const known = await Promise.all(names.map(async (name): Promise<Known> => {
  const directory = join(root, name);
  const [outer, inner] = [await stat(directory), await stat(join(directory, 'data'))];
  return { directory, inodes: [outer.ino, inner.ino], size: inner.size, mtime: inner.mtimeMs / 1000 };
}));

/** What is not as it was, of one volume. */
async function ask(volume: Known): Promise<string | undefined> {
  const { directory, inodes, size } = volume;
  const data = join(directory, 'data');
  if (random.chance(SELDOM)) {
    const mtime = 1_000_000_000 + random.below(1_000_000_000);
    await utimes(data, mtime, mtime);
    volume.mtime = mtime;
  }
  const file = await open(data, 'r');
  const [outer, inner, opened, listed, missing] = await Promise.all([
    stat(directory), stat(data), file.stat(), readdir(directory), stat(join(directory, 'missing')).catch((error: NodeJS.ErrnoException) => error.code),
  ]).finally(() => file.close());
  const found = [outer.ino, inner.ino, inner.size, opened.size, inner.mtimeMs / 1000, listed.join(), missing].join(' ');
  const expected = [...inodes, size, size, volume.mtime, 'data', 'ENOENT'].join(' ');
  return found === expected ? undefined : `${directory}: ${found} instead of ${expected}`;
}

await repeatUntilInputEnds(async () => {
  const first = random.below(known.length);
  const some = Array.from({ length: Math.min(AT_ONCE, known.length) }, (_, k) => known[(first + k) % known.length]);
  const wrong = (await Promise.all(some.map(ask))).find((text) => text !== undefined);
  if (wrong !== undefined || !random.chance(SELDOM)) return wrong;
  const listed = await ours();
  return listed.join() === names.join() ? undefined : `${listed.length} of ${names.length} names are listed`;
});
